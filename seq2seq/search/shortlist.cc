#include "seq2seq/search/shortlist.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/data/lexical_model.h"
#include "seq2seq/weights/safetensors.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

constexpr char kTranslations[] = "translations";
constexpr char kFrequent[] = "frequent";

// The length of a shortlist is a multiple of this.
constexpr size_t kRound = 256;

// The most frequent target tokens, end of sentence included.
std::vector<int32_t> MostFrequent(const CorpusMix& corpus, int64_t vocab, int64_t count) {
  std::vector<int64_t> counts(static_cast<size_t>(vocab), 0);
  for (int64_t pair = 0; pair < corpus.size(); ++pair) {
    for (const int32_t token : corpus[pair].target) ++counts[static_cast<size_t>(token)];
  }
  counts[kEosId] = corpus.size() + 1;
  std::vector<int32_t> tokens(counts.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  std::stable_sort(tokens.begin(), tokens.end(), [&](int32_t a, int32_t b) {
    return counts[static_cast<size_t>(a)] > counts[static_cast<size_t>(b)];
  });
  tokens.resize(static_cast<size_t>(std::clamp<int64_t>(count, 1, vocab)));
  if (std::find(tokens.begin(), tokens.end(), kEosId) == tokens.end()) tokens.back() = kEosId;
  return tokens;
}

absl::Span<const int32_t> TokensOf(const Array& array) {
  return {array.values<int32_t>(), static_cast<size_t>(array.size())};
}

bool IsListOf(const Array& array, size_t dimensions, int64_t vocab) {
  if (array.shape.size() != dimensions || array.type != ArrayType::kInt32) return false;
  const absl::Span<const int32_t> tokens = TokensOf(array);
  return std::all_of(tokens.begin(), tokens.end(),
                     [&](int32_t token) { return token >= 0 && token < vocab; });
}

}  // namespace

Shortlist Shortlist::Learn(const CorpusMix& corpus, int64_t source_vocab, int64_t target_vocab,
                           const ShortlistSize& size) {
  const auto lists = LearnLexicalModel(corpus, source_vocab);
  Array translations = Array::Empty(ArrayType::kInt32, {source_vocab, size.translations});
  auto* row = translations.values<int32_t>();
  std::fill_n(row, translations.size(), 0);
  for (const auto& list : lists) {
    const auto count = std::min(static_cast<size_t>(size.translations), list.size());
    for (size_t i = 0; i < count; ++i) row[i] = list[i].token;
    row += size.translations;
  }
  const std::vector<int32_t> tokens = MostFrequent(corpus, target_vocab, size.frequent);
  Array frequent = Array::Empty(ArrayType::kInt32, {static_cast<int64_t>(tokens.size())});
  std::copy(tokens.begin(), tokens.end(), frequent.values<int32_t>());
  return {std::move(translations), std::move(frequent), target_vocab};
}

absl::StatusOr<Shortlist> Shortlist::Load(const std::string& path, int64_t source_vocab,
                                          int64_t target_vocab) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const ArrayMap arrays, ReadArrays(path));
  const auto translations = arrays.find(kTranslations);
  const auto frequent = arrays.find(kFrequent);
  if (translations == arrays.end() || frequent == arrays.end() ||
      !IsListOf(translations->second, 2, target_vocab) ||
      !IsListOf(frequent->second, 1, target_vocab) ||
      translations->second.shape[0] != source_vocab ||
      !absl::c_linear_search(TokensOf(frequent->second), kEosId)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a shortlist of vocabularies of ",
                                                   source_vocab, " and ", target_vocab,
                                                   " subwords"));
  }
  return Shortlist(translations->second, frequent->second, target_vocab);
}

absl::Status Shortlist::Save(const std::string& path) const {
  return WriteArrays(path, {{kTranslations, translations_}, {kFrequent, frequent_}});
}

TokenIds Shortlist::Tokens(absl::Span<const absl::Span<const int32_t>> sources,
                           absl::Span<const int32_t> needed) const {
  const auto vocab = static_cast<size_t>(target_vocab_);
  std::vector<bool> listed(vocab, false);
  size_t count = 0;
  const auto list = [&](int32_t token) {
    if (listed[static_cast<size_t>(token)]) return;
    listed[static_cast<size_t>(token)] = true;
    ++count;
  };
  absl::c_for_each(TokensOf(frequent_), list);
  absl::c_for_each(needed, list);
  const absl::Span<const int32_t> translations = TokensOf(translations_);
  const auto width = static_cast<size_t>(translations_.shape[1]);
  for (const absl::Span<const int32_t> source : sources) {
    for (const int32_t subword : source)
      absl::c_for_each(translations.subspan(static_cast<size_t>(subword) * width, width), list);
  }
  const size_t wanted = (count + kRound - 1) / kRound * kRound;
  if (4 * wanted > 3 * vocab) return {};
  for (int32_t token = 0; count < wanted; ++token) list(token);
  TokenIds tokens;
  for (size_t token = 0; token < vocab; ++token) {
    if (listed[token]) tokens.push_back(static_cast<int32_t>(token));
  }
  return tokens;
}

}  // namespace seq2seq
