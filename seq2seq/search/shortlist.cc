#include "seq2seq/search/shortlist.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

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

bool IsListOf(const torch::Tensor& tokens, int64_t dimensions, int64_t vocab) {
  if (tokens.dim() != dimensions || tokens.scalar_type() != torch::kInt32) return false;
  if (tokens.numel() == 0) return true;
  return tokens.min().item<int32_t>() >= 0 && tokens.max().item<int32_t>() < vocab;
}

}  // namespace

Shortlist Shortlist::Learn(const CorpusMix& corpus, int64_t source_vocab, int64_t target_vocab,
                           const ShortlistSize& size) {
  const auto lists = LearnLexicalModel(corpus, source_vocab);
  torch::Tensor translations = torch::zeros({source_vocab, size.translations}, torch::kInt32);
  auto* row = translations.data_ptr<int32_t>();
  for (const auto& list : lists) {
    const auto count = std::min(static_cast<size_t>(size.translations), list.size());
    for (size_t i = 0; i < count; ++i) row[i] = list[i].token;
    row += size.translations;
  }
  const std::vector<int32_t> frequent = MostFrequent(corpus, target_vocab, size.frequent);
  return {std::move(translations), torch::tensor(frequent, torch::kInt32), target_vocab};
}

absl::StatusOr<Shortlist> Shortlist::Load(const std::string& path, int64_t source_vocab,
                                          int64_t target_vocab) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const TensorMap tensors, ReadTensors(path));
  const auto translations = tensors.find(kTranslations);
  const auto frequent = tensors.find(kFrequent);
  if (translations == tensors.end() || frequent == tensors.end() ||
      !IsListOf(translations->second, 2, target_vocab) ||
      !IsListOf(frequent->second, 1, target_vocab) ||
      translations->second.size(0) != source_vocab ||
      !frequent->second.eq(kEosId).any().item<bool>()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a shortlist of vocabularies of ",
                                                   source_vocab, " and ", target_vocab,
                                                   " subwords"));
  }
  return Shortlist(translations->second, frequent->second, target_vocab);
}

absl::Status Shortlist::Save(const std::string& path) const {
  return WriteTensors(path, {{kTranslations, translations_}, {kFrequent, frequent_}});
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
  const auto list_all = [&](const int32_t* tokens, int64_t size) {
    std::for_each(tokens, tokens + size, list);
  };
  list_all(frequent_.data_ptr<int32_t>(), frequent_.numel());
  list_all(needed.data(), static_cast<int64_t>(needed.size()));
  const int64_t width = translations_.size(1);
  for (const absl::Span<const int32_t> source : sources) {
    for (const int32_t piece : source)
      list_all(translations_.data_ptr<int32_t>() + piece * width, width);
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
