// A scorer simple enough to be searched by hand.
#ifndef TESTS_SEARCH_TOY_SCORER_H_
#define TESTS_SEARCH_TOY_SCORER_H_

#include <cmath>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"

#include "seq2seq/base/random.h"
#include "seq2seq/search/scorer.h"
#include "tests/search/first_rows.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// An artificial language: the next token depends on the sentence and on every token before, and it
// ends only by chance.
struct Toy {
  size_t vocab = kEosId + 4;  // Three words.
  double end_bonus = 0;       // Added to the logit of the end of sentence.
  bool can_end = true;        // Else the end has probability zero.
  int32_t turn = 0;           // Added to the position that is attended to.

  // The log-probabilities after `prefix`, which begins with the beginning of sentence: [vocab].
  std::vector<float> LogProbs(uint64_t sentence, const std::vector<int32_t>& prefix) const {
    uint64_t seed = Mix(sentence);
    for (const int32_t token : prefix) seed = DeriveSeed({seed, static_cast<uint64_t>(token)});
    std::vector<double> logits;
    double sum = 0;
    for (size_t id = 0; id < vocab; ++id) {
      seed = Mix(seed);
      double logit = std::ldexp(static_cast<double>(seed >> 11), 2 - 53);
      if (id == kEosId) logit += can_end ? end_bonus : -INFINITY;
      sum += std::exp(logit);
      logits.push_back(logit);
    }
    std::vector<float> log_probs;
    for (const double logit : logits)
      log_probs.push_back(static_cast<float>(logit - std::log(sum)));
    return log_probs;
  }
};

// Sentences of the language, named by `sentences`. Writes down the rows of each step. Scores only
// `tokens`, ascending, or all if that is empty.
class ToyScorer : public Scorer {
 public:
  ToyScorer(const Toy& toy, std::vector<uint64_t> sentences, std::vector<int32_t> tokens = {})
      : toy_(toy), sentences_(std::move(sentences)), tokens_(std::move(tokens)) {
    for (size_t s = 0; s < sentences_.size(); ++s) rows_.push_back({s, {}});
  }

  int64_t batch() const override { return static_cast<int64_t>(sentences_.size()); }

  StepScores Step(absl::Span<const Extension> rows) override {
    std::vector<Row> next;
    scores_.clear();
    normalizers_.clear();
    for (const Extension& extension : rows) {
      Row row = rows_.at(static_cast<size_t>(extension.parent));
      EXPECT_EQ(row.sentence, static_cast<size_t>(extension.sentence)) << "row of another sentence";
      row.prefix.push_back(extension.token);
      AddScores(toy_.LogProbs(sentences_.at(row.sentence), row.prefix));
      next.push_back(std::move(row));
    }
    rows_ = std::move(next);
    rows_seen.push_back(rows_.size());
    if (on_step) on_step();
    const auto columns = static_cast<int64_t>(tokens_.empty() ? toy_.vocab : tokens_.size());
    return {{scores_.data(), static_cast<int64_t>(rows_.size()), columns, columns},
            normalizers_,
            tokens_};
  }

  // Attends to one of three positions, by the last token.
  absl::Span<const float> Attention(size_t row) const override {
    static constexpr float kWeights[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    return kWeights[(rows_[row].prefix.back() + toy_.turn) % 3];
  }

  std::vector<size_t> rows_seen;
  std::function<void()> on_step;  // Called by each step.

 private:
  static constexpr float kOffset = 0.25;

  struct Row {
    size_t sentence;
    std::vector<int32_t> prefix;
  };

  // Adds a row, off by a constant, which the normaliser subtracts.
  void AddScores(const std::vector<float>& log_probs) {
    if (tokens_.empty()) {
      for (const float log_prob : log_probs) scores_.push_back(log_prob + kOffset);
      normalizers_.push_back(kOffset);
      return;
    }
    double sum = 0;
    for (const int32_t token : tokens_) {
      scores_.push_back(log_probs.at(static_cast<size_t>(token)) + kOffset);
      sum += std::exp(static_cast<double>(scores_.back()));
    }
    normalizers_.push_back(static_cast<float>(std::log(sum)));
  }

  Toy toy_;
  std::vector<uint64_t> sentences_;
  std::vector<int32_t> tokens_;
  std::vector<Row> rows_;
  std::vector<float> scores_, normalizers_;
};

// The log-probabilities of a time step, [row][vocab].
inline std::vector<std::vector<float>> LogProbsOf(Scorer& scorer,
                                                  const std::vector<Extension>& rows) {
  const StepScores step = scorer.Step(rows);
  std::vector<std::vector<float>> log_probs;
  for (size_t r = 0; r < rows.size(); ++r) {
    const ScoreRow row = step.row(r);
    log_probs.emplace_back();
    for (const float score : row.scores) log_probs.back().push_back(score - row.normalizer);
  }
  return log_probs;
}

}  // namespace seq2seq

#endif  // TESTS_SEARCH_TOY_SCORER_H_
