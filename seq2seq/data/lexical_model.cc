#include "seq2seq/data/lexical_model.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"

#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

// Iterations of expectation maximisation: probable translations change little after these.
constexpr int kRounds = 5;

// Less probable translations are dropped, most of them in the first iteration: pairs of subwords
// that co-occur by chance.
constexpr float kLeast = 1e-4f;

struct Couple {
  float probability = 1;  // In the first iteration up to a constant factor, which cancels out.
  float count = 0;        // Expected number of occurrences in the corpus.
};

using Couples = std::vector<absl::flat_hash_map<int32_t, Couple>>;  // [source], by target.

// E-step: adds the expected number of times that each source subword generates each target subword,
// for `all` pairs that co-occur, or those already in `couples`.
void Expect(const CorpusMix& corpus, int64_t stride, bool all, Couples& couples) {
  std::vector<int32_t> sources;
  std::vector<Couple*> makers;  // Of one target, the only entry that a map gains: they stay valid.
  for (int64_t pair = 0; pair < corpus.size(); pair += stride) {
    const Example example = corpus[pair];
    sources.assign(example.source.begin(), example.source.end());
    sources.push_back(kPadId);
    for (const int32_t target : example.target) {
      makers.clear();
      float sum = 0;
      for (const int32_t source : sources) {
        auto& targets = couples[static_cast<size_t>(source)];
        const auto found = all ? targets.try_emplace(target).first : targets.find(target);
        if (found == targets.end()) continue;
        makers.push_back(&found->second);
        sum += found->second.probability;
      }
      for (Couple* maker : makers) maker->count += maker->probability / sum;
    }
  }
}

void Maximise(Couples& couples) {
  for (auto& targets : couples) {
    double sum = 0;
    for (const auto& [target, couple] : targets) sum += static_cast<double>(couple.count);
    for (auto& [target, couple] : targets)
      couple = {static_cast<float>(static_cast<double>(couple.count) / sum), 0};
    absl::erase_if(targets, [](const auto& entry) { return entry.second.probability < kLeast; });
  }
}

}  // namespace

std::vector<std::vector<LexicalTranslation>> LearnLexicalModel(const CorpusMix& corpus,
                                                               int64_t source_vocab,
                                                               int64_t most_pairs) {
  const int64_t stride = std::max<int64_t>(1, (corpus.size() + most_pairs - 1) / most_pairs);
  Couples couples(static_cast<size_t>(source_vocab));
  for (int round = 0; round < kRounds; ++round) {
    Expect(corpus, stride, /*all=*/round == 0, couples);
    Maximise(couples);
  }
  std::vector<std::vector<LexicalTranslation>> translations;
  for (auto& targets : couples) {
    auto& list = translations.emplace_back();
    list.reserve(targets.size());
    for (const auto& [target, couple] : targets) list.push_back({target, couple.probability});
    targets = {};
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
      return a.probability != b.probability ? a.probability > b.probability : a.token < b.token;
    });
  }
  return translations;
}

}  // namespace seq2seq
