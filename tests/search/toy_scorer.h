// A scorer simple enough to be searched by hand.
#ifndef TESTS_SEARCH_TOY_SCORER_H_
#define TESTS_SEARCH_TOY_SCORER_H_

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/random.h"
#include "seq2seq/search/scorer.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// A made-up language: what follows depends on the sentence and on every token before, and never
// ends but by chance.
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
      : toy_(toy),
        sentences_(std::move(sentences)),
        batch_(static_cast<int64_t>(sentences_.size())) {
    for (const uint64_t sentence : sentences_) rows_.push_back({sentence, {}});
  }

  int64_t batch() const override { return batch_; }

  torch::Tensor Step(const torch::Tensor& tokens) override {
    EXPECT_EQ(tokens.sizes(), std::vector<int64_t>{static_cast<int64_t>(rows_.size())});
    std::vector<torch::Tensor> scores;
    for (size_t r = 0; r < rows_.size(); ++r) {
      EXPECT_EQ(rows_[r].sentence, sentences_[r / (rows_.size() / sentences_.size())])
          << "row of another sentence";
      rows_[r].prefix.push_back(tokens[static_cast<int64_t>(r)].item<int64_t>());
      scores.push_back(toy_.LogProbs(rows_[r].sentence, rows_[r].prefix));
    }
    rows_seen.push_back(rows_.size());
    return torch::stack(scores);
  }

  void Select(const torch::Tensor& rows, const torch::Tensor& sentences) override {
    std::vector<Row> selected;
    for (int64_t r = 0; r < rows.size(0); ++r)
      selected.push_back(rows_.at(static_cast<size_t>(rows[r].item<int64_t>())));
    std::vector<uint64_t> kept;
    for (int64_t s = 0; s < sentences.size(0); ++s)
      kept.push_back(sentences_.at(static_cast<size_t>(sentences[s].item<int64_t>())));
    EXPECT_EQ(selected.size() % kept.size(), 0u);
    rows_ = std::move(selected);
    sentences_ = std::move(kept);
  }

  std::vector<size_t> rows_seen;

 private:
  struct Row {
    uint64_t sentence;
    std::vector<int64_t> prefix;
  };

  Toy toy_;
  std::vector<uint64_t> sentences_;
  int64_t batch_;
  std::vector<Row> rows_;
};

}  // namespace seq2seq

#endif  // TESTS_SEARCH_TOY_SCORER_H_
