#include "seq2seq/search/shortlist.h"

#include <algorithm>
#include <utility>
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
constexpr char kTail[] = "tail";
constexpr char kTailLogWeights[] = "tail_log_weights";

absl::Span<const int32_t> TokensOf(const Array& array) {
  return {array.values<int32_t>(), static_cast<size_t>(array.size())};
}

bool IsListOf(const Array& array, size_t dimensions, int64_t vocab) {
  if (array.shape.size() != dimensions || array.type != ArrayType::kInt32) return false;
  const absl::Span<const int32_t> tokens = TokensOf(array);
  return std::all_of(tokens.begin(), tokens.end(),
                     [&](int32_t token) { return token >= 0 && token < vocab; });
}

// Reads the sample into `tail`, if there is one; false if it is none.
bool ReadTail(const ArrayMap& arrays, int64_t vocab, TailSample& tail) {
  const auto tokens = arrays.find(kTail);
  const auto weights = arrays.find(kTailLogWeights);
  if (tokens == arrays.end() && weights == arrays.end()) return true;
  if (tokens == arrays.end() || weights == arrays.end() || !IsListOf(tokens->second, 1, vocab) ||
      weights->second.type != ArrayType::kFloat32 ||
      weights->second.shape != tokens->second.shape) {
    return false;
  }
  const absl::Span<const int32_t> of_tail = TokensOf(tokens->second);
  tail.tokens.assign(of_tail.begin(), of_tail.end());
  const auto* values = weights->second.values<float>();
  tail.log_weights.assign(values, values + of_tail.size());
  return absl::c_is_sorted(of_tail) && absl::c_adjacent_find(of_tail) == of_tail.end() &&
         absl::c_all_of(tail.log_weights, [](float weight) { return weight >= 0 && weight < 50; });
}

}  // namespace

absl::StatusOr<Shortlist> Shortlist::Load(const std::string& path, int64_t source_vocab,
                                          int64_t target_vocab) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const ArrayMap arrays, ReadArrays(path));
  TailSample tail;
  const auto translations = arrays.find(kTranslations);
  const auto frequent = arrays.find(kFrequent);
  if (translations == arrays.end() || frequent == arrays.end() ||
      !IsListOf(translations->second, 2, target_vocab) ||
      !IsListOf(frequent->second, 1, target_vocab) ||
      translations->second.shape[0] != source_vocab ||
      !absl::c_linear_search(TokensOf(frequent->second), kEosId) ||
      !ReadTail(arrays, target_vocab, tail)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a shortlist of vocabularies of ",
                                                   source_vocab, " and ", target_vocab,
                                                   " subwords"));
  }
  return Shortlist(translations->second, frequent->second, std::move(tail), target_vocab);
}

absl::Status Shortlist::Save(const std::string& path) const {
  ArrayMap arrays = {{kTranslations, translations_}, {kFrequent, frequent_}};
  if (!tail_.tokens.empty()) {
    const auto count = static_cast<int64_t>(tail_.tokens.size());
    Array& tokens = arrays[kTail] = Array::Empty(ArrayType::kInt32, {count});
    absl::c_copy(tail_.tokens, tokens.values<int32_t>());
    Array& weights = arrays[kTailLogWeights] = Array::Empty(ArrayType::kFloat32, {count});
    absl::c_copy(tail_.log_weights, weights.values<float>());
  }
  return WriteArrays(path, arrays);
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
