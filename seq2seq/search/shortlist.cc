#include "seq2seq/search/shortlist.h"

#include <algorithm>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/weights/safetensors.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

constexpr char kTranslations[] = "translations";
constexpr char kFrequent[] = "frequent";

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

TokenIds ListedTokens(const std::vector<bool>& listed) {
  TokenIds tokens;
  for (size_t token = 0; token < listed.size(); ++token) {
    if (listed[token]) tokens.push_back(static_cast<int32_t>(token));
  }
  if (4 * tokens.size() > 3 * listed.size()) tokens.clear();
  return tokens;
}

TokenIds Shortlist::Tokens(absl::Span<const int32_t> source,
                           absl::Span<const int32_t> needed) const {
  std::vector<bool> listed(static_cast<size_t>(target_vocab_), false);
  const auto list = [&](int32_t token) { listed[static_cast<size_t>(token)] = true; };
  absl::c_for_each(TokensOf(frequent_), list);
  absl::c_for_each(needed, list);
  const absl::Span<const int32_t> translations = TokensOf(translations_);
  const auto width = static_cast<size_t>(translations_.shape[1]);
  for (const int32_t subword : source)
    absl::c_for_each(translations.subspan(static_cast<size_t>(subword) * width, width), list);
  return ListedTokens(listed);
}

}  // namespace seq2seq
