// A scorer simple enough to be searched by hand.
#ifndef TESTS_SEARCH_TOY_SCORER_H_
#define TESTS_SEARCH_TOY_SCORER_H_

#include <cmath>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/random.h"
#include "seq2seq/search/scorer.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// An artificial language: the next token depends on the sentence and on every token before, and it
// ends only by chance.
struct Toy {
  int64_t vocab = kEosId + 4;  // Three words.
  double end_bonus = 0;        // Added to the logit of the end of sentence.
  bool can_end = true;         // Else the end has probability zero.

  // The log-probabilities after `prefix`, which begins with the beginning of sentence: [vocab].
  torch::Tensor LogProbs(uint64_t sentence, const std::vector<int64_t>& prefix) const {
    uint64_t seed = Mix(sentence);
    for (const int64_t token : prefix) seed = DeriveSeed({seed, static_cast<uint64_t>(token)});
    torch::Tensor logits = torch::empty({vocab});
    for (int64_t id = 0; id < vocab; ++id) {
      seed = Mix(seed);
      logits[id] = 4.0 * static_cast<double>(seed >> 11) / static_cast<double>(uint64_t{1} << 53);
    }
    logits[kEosId] += can_end ? end_bonus : -INFINITY;
    return torch::log_softmax(logits, 0);
  }
};

// Sentences of the language, named by `sentences`. Writes down the rows of each step.
class ToyScorer : public Scorer {
 public:
  ToyScorer(const Toy& toy, std::vector<uint64_t> sentences)
      : toy_(toy), sentences_(std::move(sentences)) {
    for (size_t s = 0; s < sentences_.size(); ++s) rows_.push_back({s, {}});
  }

  int64_t batch() const override { return static_cast<int64_t>(sentences_.size()); }

  StepScores Step(absl::Span<const Extension> rows) override {
    std::vector<Row> next;
    scores_.clear();
    for (const Extension& extension : rows) {
      Row row = rows_.at(static_cast<size_t>(extension.parent));
      EXPECT_EQ(row.sentence, static_cast<size_t>(extension.sentence)) << "row of another sentence";
      row.prefix.push_back(extension.token);
      const torch::Tensor log_probs = toy_.LogProbs(sentences_.at(row.sentence), row.prefix);
      // Off by a constant, which the normaliser subtracts.
      for (int64_t id = 0; id < toy_.vocab; ++id)
        scores_.push_back(log_probs[id].item<float>() + kOffset);
      next.push_back(std::move(row));
    }
    rows_ = std::move(next);
    rows_seen.push_back(rows_.size());
    if (on_step) on_step();
    normalizers_.assign(rows_.size(), kOffset);
    return {{scores_.data(), static_cast<int64_t>(rows_.size()), toy_.vocab, toy_.vocab},
            normalizers_,
            {}};
  }

  // Attends to one of three positions, by the last token.
  absl::Span<const float> Attention(size_t row) const override {
    static constexpr float kLooks[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    return kLooks[rows_[row].prefix.back() % 3];
  }

  std::vector<size_t> rows_seen;
  std::function<void()> on_step;  // Called by each step.

 private:
  static constexpr float kOffset = 0.25;

  struct Row {
    size_t sentence;
    std::vector<int64_t> prefix;
  };

  Toy toy_;
  std::vector<uint64_t> sentences_;
  std::vector<Row> rows_;
  std::vector<float> scores_, normalizers_;
};

}  // namespace seq2seq

#endif  // TESTS_SEARCH_TOY_SCORER_H_
