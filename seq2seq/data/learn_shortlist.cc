#include "seq2seq/data/learn_shortlist.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "seq2seq/data/lexical_model.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

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

}  // namespace

Shortlist LearnShortlist(const CorpusMix& corpus, int64_t source_vocab, int64_t target_vocab,
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

}  // namespace seq2seq
