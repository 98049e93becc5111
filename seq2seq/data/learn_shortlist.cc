#include "seq2seq/data/learn_shortlist.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "seq2seq/align/lexical_model.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

// A systematic sample of `size` tokens that are not `listed`, the probability of each in proportion
// to its frequency in the corpus; what would be in it more than once is in it for certain.
TailSample SampleTail(const CorpusMix& corpus, const std::vector<bool>& listed, int64_t size) {
  std::vector<double> counts(listed.size(), 0.05);  // Of those that do not occur.
  for (int64_t pair = 0; pair < corpus.size(); ++pair) {
    for (const int32_t token : corpus[pair].target) ++counts[static_cast<size_t>(token)];
  }
  std::vector<int32_t> order;  // Most frequent first.
  double left = 0;
  for (size_t token = 0; token < listed.size(); ++token) {
    if (listed[token]) continue;
    order.push_back(static_cast<int32_t>(token));
    left += counts[token];
  }
  const auto count_of = [&](int32_t token) { return counts[static_cast<size_t>(token)]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return count_of(a) > count_of(b); });
  std::vector<std::pair<int32_t, float>> chosen;  // With its log-weight.
  size_t certain = 0;
  auto room = static_cast<double>(size);
  for (; certain < order.size() && room * count_of(order[certain]) >= left; ++certain, --room) {
    chosen.emplace_back(order[certain], 0.0F);
    left -= count_of(order[certain]);
  }
  double sum = 0;
  double next = left / room / 2;
  for (size_t i = certain; i < order.size() && room > 0; ++i) {
    sum += count_of(order[i]);
    if (sum <= next) continue;
    chosen.emplace_back(order[i], static_cast<float>(std::log(left / (room * count_of(order[i])))));
    next += left / room;
  }
  std::sort(chosen.begin(), chosen.end());
  TailSample tail;
  for (const auto& [token, log_weight] : chosen) {
    tail.tokens.push_back(token);
    tail.log_weights.push_back(std::max(log_weight, 0.0F));
  }
  return tail;
}

// Sentences that contain a token.
struct Frequency {
  int64_t outputs = 0;
  int64_t references = 0;

  bool operator>(const Frequency& other) const {
    return outputs != other.outputs ? outputs > other.outputs : references > other.references;
  }
};

// The most frequent target tokens, end of sentence included.
std::vector<int32_t> MostFrequent(const CorpusMix& corpus, absl::Span<const TokenIds> outputs,
                                  int64_t vocab, int64_t count) {
  std::vector<Frequency> frequencies(static_cast<size_t>(vocab));
  TokenIds distinct;  // A token that a sentence repeats counts once.
  const auto add = [&](absl::Span<const int32_t> sentence, int64_t Frequency::*counted) {
    distinct.assign(sentence.begin(), sentence.end());
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    for (const int32_t token : distinct) ++(frequencies[static_cast<size_t>(token)].*counted);
  };
  for (int64_t pair = 0; pair < corpus.size(); ++pair)
    add(corpus[pair].target, &Frequency::references);
  for (const TokenIds& output : outputs) add(output, &Frequency::outputs);
  frequencies[kEosId] = {static_cast<int64_t>(outputs.size()) + 1, corpus.size() + 1};
  std::vector<int32_t> tokens(frequencies.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  std::stable_sort(tokens.begin(), tokens.end(), [&](int32_t a, int32_t b) {
    return frequencies[static_cast<size_t>(a)] > frequencies[static_cast<size_t>(b)];
  });
  tokens.resize(static_cast<size_t>(std::clamp<int64_t>(count, 1, vocab)));
  if (std::find(tokens.begin(), tokens.end(), kEosId) == tokens.end()) tokens.back() = kEosId;
  return tokens;
}

}  // namespace

Shortlist LearnShortlist(const CorpusMix& corpus, absl::Span<const TokenIds> outputs,
                         int64_t source_vocab, int64_t target_vocab, const ShortlistSize& size) {
  const std::vector<int32_t> tokens = MostFrequent(corpus, outputs, target_vocab, size.frequent);
  std::vector<bool> listed(static_cast<size_t>(target_vocab), false);
  for (const int32_t token : tokens) listed[static_cast<size_t>(token)] = true;
  constexpr int64_t kMostPairs = 1'000'000;
  const auto lists =
      LexicalModel::Learn(PairsOf(corpus).AtMost(kMostPairs), source_vocab).Translations();
  Array translations = Array::Empty(ArrayType::kInt32, {source_vocab, size.translations});
  auto* row = translations.values<int32_t>();
  std::fill_n(row, translations.size(), 0);
  for (const auto& list : lists) {
    int64_t count = 0;
    for (const LexicalTranslation& translation : list) {
      if (count == size.translations) break;
      if (!listed[static_cast<size_t>(translation.token)]) row[count++] = translation.token;
    }
    row += size.translations;
  }
  Array frequent = Array::Empty(ArrayType::kInt32, {static_cast<int64_t>(tokens.size())});
  std::copy(tokens.begin(), tokens.end(), frequent.values<int32_t>());
  return {std::move(translations), std::move(frequent), SampleTail(corpus, listed, size.tail),
          target_vocab};
}

}  // namespace seq2seq
