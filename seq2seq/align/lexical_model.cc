#include "seq2seq/align/lexical_model.h"

#include <algorithm>
#include <cstddef>

namespace seq2seq {
namespace {

// Iterations of expectation maximisation: probable translations change little after these.
constexpr int kLexicalRounds = 5;

// Less probable translations are dropped, most of them in the first iteration: words that co-occur
// by chance.
constexpr float kLeastTranslation = 1e-4f;

}  // namespace

LexicalModel LexicalModel::Learn(const SentencePairs& pairs, int64_t source_vocab) {
  LexicalModel model(source_vocab);
  for (int round = 0; round < kLexicalRounds; ++round) {
    model.Expect(pairs, /*all=*/round == 0);
    model.Maximise();
  }
  return model;
}

void LexicalModel::Expect(const SentencePairs& pairs, bool all) {
  std::vector<int32_t> sources;
  std::vector<Entry*> makers;  // Of one target, the only entry that a map gains: they stay valid.
  for (int64_t number = 0; number < pairs.size; ++number) {
    const SentencePair pair = pairs.at(number);
    sources.assign(pair.source.begin(), pair.source.end());
    sources.push_back(kEmptyWord);
    for (const int32_t target : pair.target) {
      makers.clear();
      float sum = 0;
      for (const int32_t source : sources) {
        auto& targets = table_[static_cast<size_t>(source)];
        const auto found = all ? targets.try_emplace(target).first : targets.find(target);
        if (found == targets.end()) continue;
        makers.push_back(&found->second);
        sum += found->second.probability;
      }
      for (Entry* maker : makers) maker->count += maker->probability / sum;
    }
  }
}

float LexicalModel::Probability(int32_t source, int32_t target) const {
  const auto& targets = table_[static_cast<size_t>(source)];
  const auto found = targets.find(target);
  return found == targets.end() ? 0 : found->second.probability;
}

void LexicalModel::Count(int32_t source, int32_t target, float times) {
  auto& targets = table_[static_cast<size_t>(source)];
  const auto found = targets.find(target);
  if (found != targets.end()) found->second.count += times;
}

void LexicalModel::Maximise() {
  for (auto& targets : table_) {
    // In an order of its own, on which the rounding of the sum depends.
    std::vector<std::pair<int32_t, float>> counts;
    for (const auto& [target, entry] : targets) counts.emplace_back(target, entry.count);
    std::sort(counts.begin(), counts.end());
    double sum = 0;
    for (const auto& [target, count] : counts) sum += static_cast<double>(count);
    for (auto& [target, entry] : targets)
      entry = {static_cast<float>(static_cast<double>(entry.count) / sum), 0};
    // NaN, where nothing was counted, goes too.
    absl::erase_if(
        targets, [](const auto& item) { return !(item.second.probability >= kLeastTranslation); });
  }
}

std::vector<std::vector<LexicalTranslation>> LexicalModel::Translations() const {
  std::vector<std::vector<LexicalTranslation>> translations;
  for (const auto& targets : table_) {
    auto& list = translations.emplace_back();
    list.reserve(targets.size());
    for (const auto& [target, entry] : targets) list.push_back({target, entry.probability});
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
      return a.probability != b.probability ? a.probability > b.probability : a.token < b.token;
    });
  }
  return translations;
}

}  // namespace seq2seq
