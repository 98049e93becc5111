// What search knows of a model.
#ifndef SEQ2SEQ_SEARCH_SCORER_H_
#define SEQ2SEQ_SEARCH_SCORER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/types/span.h"

#include "seq2seq/data/batch.h"
#include "seq2seq/kernels/matrix.h"
#include "seq2seq/search/search_memory.h"

namespace seq2seq {

// A row of the next step: the hypothesis of a row of the last step, and one token more.
struct Extension {
  int64_t parent = 0;    // In the first step, when there are no rows yet, the sentence.
  int64_t sentence = 0;  // That it belongs to.
  int32_t token = 0;     // In the first step the beginning of sentence.
};

// What may follow one hypothesis.
struct ScoreRow {
  // [column]; less `normalizer` they are log-probabilities, or what several models make of them.
  absl::Span<float> scores;
  float normalizer = 0;              // The log of the sum of e^score.
  absl::Span<const int32_t> tokens;  // Of the columns, rising; empty where column i is token i.

  int32_t Token(size_t column) const {
    return tokens.empty() ? static_cast<int32_t>(column) : tokens[column];
  }

  // The score of a token; null where it has no column.
  float* Find(int32_t token) const {
    auto column = static_cast<size_t>(token);
    if (!tokens.empty()) {
      const auto found = std::lower_bound(tokens.begin(), tokens.end(), token);
      if (found == tokens.end() || *found != token) return nullptr;
      column = static_cast<size_t>(found - tokens.begin());
    }
    return &scores[column];
  }
};

// What may follow the hypotheses of a step. Views of what the scorer holds until its next step;
// search may write to the scores.
struct StepScores {
  Matrix scores;                        // [row, column]
  absl::Span<const float> normalizers;  // [row]
  absl::Span<const int32_t> tokens;     // As in ScoreRow.

  ScoreRow row(size_t index) const {
    return {absl::MakeSpan(scores.row(static_cast<int64_t>(index)),
                           static_cast<size_t>(scores.columns)),
            normalizers[index], tokens};
  }
};

// The scores of a step less their normalizers, [row, column].
torch::Tensor LogProbabilities(const StepScores& step);

// Scores continuations of many hypotheses of some sentences at once. One thread steps it; several
// may ask where rows looked.
class Scorer {
 public:
  virtual ~Scorer() = default;

  // Sentences that it began with.
  virtual int64_t batch() const = 0;

  // Moves on to `rows`, at least one: any number for each sentence, those of a sentence together.
  // Rows of the last step that none goes on from are forgotten.
  virtual StepScores Step(absl::Span<const Extension> rows) = 0;

  // Where row `row` of the last step looked: a share for each place of its source, which add up to
  // 1. Valid until the next step.
  virtual absl::Span<const float> Attention(size_t row) const = 0;
};

// A model, or several as one, that begins to score. Thread-safe.
class ScoringModel {
 public:
  virtual ~ScoringModel() = default;

  // A scorer of the sentences of `sources`, as CollateSources makes them. It scores the tokens
  // `tokens` alone, rising, unless that is empty. What LibTorch reports is thrown.
  virtual std::unique_ptr<Scorer> Begin(const Batch& sources,
                                        absl::Span<const int32_t> tokens) const = 0;

  // The bytes of its weights as it computes with them, and those that a batch takes besides.
  virtual double weight_bytes() const = 0;
  virtual double BatchBytes(const SearchShape& shape) const = 0;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SCORER_H_
