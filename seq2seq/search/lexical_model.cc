#include "seq2seq/search/lexical_model.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"

#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

// Rounds of expectation and maximisation: likely translations change little after these.
constexpr int kRounds = 5;

struct Couple {
  double probability = 1;  // In the first round up to a factor, which does not matter.
  double count = 0;        // Expected in the corpus.
};

using Couples = std::vector<absl::flat_hash_map<int32_t, Couple>>;  // [source], by target.

// Counts how often each piece of the source makes each of the target, going by the probabilities.
void Expect(const Corpus& corpus, int64_t stride, Couples& couples) {
  std::vector<int32_t> sources;
  std::vector<Couple*> makers;  // Of one target; each map is asked for that alone, and so stays.
  for (int64_t pair = 0; pair < corpus.size(); pair += stride) {
    const Example example = corpus[pair];
    sources.assign(example.source.begin(), example.source.end());
    sources.push_back(kPadId);
    for (const int32_t target : example.target) {
      makers.clear();
      double sum = 0;
      for (const int32_t source : sources) {
        makers.push_back(&couples[static_cast<size_t>(source)][target]);
        sum += makers.back()->probability;
      }
      for (Couple* maker : makers) maker->count += maker->probability / sum;
    }
  }
}

void Maximise(Couples& couples) {
  for (auto& targets : couples) {
    double sum = 0;
    for (const auto& [target, couple] : targets) sum += couple.count;
    for (auto& [target, couple] : targets) couple = {couple.count / sum, 0};
  }
}

}  // namespace

std::vector<std::vector<LexicalTranslation>> LearnLexicalModel(const Corpus& corpus,
                                                               int64_t source_vocab,
                                                               int64_t most_pairs) {
  const int64_t stride = std::max<int64_t>(1, (corpus.size() + most_pairs - 1) / most_pairs);
  Couples couples(static_cast<size_t>(source_vocab));
  for (int round = 0; round < kRounds; ++round) {
    Expect(corpus, stride, couples);
    Maximise(couples);
  }
  std::vector<std::vector<LexicalTranslation>> translations;
  for (const auto& targets : couples) {
    auto& list = translations.emplace_back();
    for (const auto& [target, couple] : targets) list.push_back({target, couple.probability});
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
      return a.probability != b.probability ? a.probability > b.probability : a.token < b.token;
    });
  }
  return translations;
}

}  // namespace seq2seq
