// Scorer: the interface between search and models.
#ifndef SEQ2SEQ_SEARCH_SCORER_H_
#define SEQ2SEQ_SEARCH_SCORER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "absl/types/span.h"

#include "seq2seq/kernels/extension.h"
#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

class BatchShortlist;  // seq2seq/search/batch_shortlist.h
struct SearchShape;    // seq2seq/search/search_memory.h
struct SourceInput;    // seq2seq/source/source.h

// Score of a token that must not be generated.
inline constexpr float kNever = -std::numeric_limits<float>::infinity();

// The scores of the next token of one hypothesis.
struct ScoreRow {
  // [column]; minus `normalizer` they are log-probabilities, or several models' combined.
  absl::Span<float> scores;
  float normalizer = 0;              // Log of the sum of exp(score).
  absl::Span<const int32_t> tokens;  // Of the columns, ascending; empty if column i is token i.

  int32_t Token(size_t column) const {
    return tokens.empty() ? static_cast<int32_t>(column) : tokens[column];
  }

  // The score of a token; null if it has no column.
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

// The scores of the next token of all hypotheses in a time step. Views of the scorer's buffers,
// valid until its next step; search may overwrite the scores.
struct StepScores {
  Matrix scores;                        // [row, column]
  absl::Span<const float> normalizers;  // [row]
  absl::Span<const int32_t> tokens;     // As in ScoreRow.
  // [row], where sentences have shortlists of their own: the tokens of the first columns of each
  // row, the others of which have no meaning; an empty one is `tokens`.
  absl::Span<const absl::Span<const int32_t>> row_tokens = {};
  // [row], with row_tokens: the number of first columns that the normaliser sums, the row's own and
  // a sample of the others.
  absl::Span<const int64_t> summed_columns = {};
  // [row], the log-odds of copying, of a model that copies; empty once the scores include that.
  absl::Span<const float> copy_logits = {};

  ScoreRow row(size_t index) const {
    const bool is_own = !row_tokens.empty() && !row_tokens[index].empty();
    return {absl::MakeSpan(scores.row(static_cast<int64_t>(index)),
                           is_own ? row_tokens[index].size() : static_cast<size_t>(scores.columns)),
            normalizers[index], is_own ? row_tokens[index] : tokens};
  }
};

// Scores the continuations of many hypotheses of several sentences at once. One thread calls Step;
// several may call Attention.
class Scorer {
 public:
  virtual ~Scorer() = default;

  // Number of sentences that it was made for.
  virtual int64_t batch() const = 0;

  // Advances to `rows`, at least one: any number for each sentence, grouped by sentence. Rows of
  // the last time step that are no parent are dropped.
  virtual StepScores Step(absl::Span<const Extension> rows) = 0;

  // Attention weights of row `row` in the last time step, one for each position of its source,
  // which sum to 1. Valid until the next step.
  virtual absl::Span<const float> Attention(size_t row) const = 0;
};

// A model that makes scorers. Thread-safe.
class ScoringModel {
 public:
  virtual ~ScoringModel() = default;

  // A scorer for loaded sources, at least one, which need not outlive the call. It scores only the
  // tokens of `shortlists`, which must outlive it unless they are empty. May throw, as LibTorch
  // does, and where memory runs out.
  std::unique_ptr<Scorer> Begin(absl::Span<const SourceInput* const> sources,
                                const BatchShortlist& shortlists) const;

  // Whether it attends to its source.
  virtual bool has_attention() const = 0;

  // Bytes of the weights in the form that it computes with, and bytes of a batch besides.
  virtual double weight_bytes() const = 0;
  virtual double BatchBytes(const SearchShape& shape) const = 0;

  // A line for the log if it is slower or other than requested, as in another precision; or empty.
  virtual std::string note() const { return ""; }

  // Whether it copies subwords of the source, which shortlists should then list.
  virtual bool copies() const { return false; }

 private:
  // The same for `tokens`, ascending, or all if that is empty; without copying.
  virtual std::unique_ptr<Scorer> BeginTokens(absl::Span<const SourceInput* const> sources,
                                              absl::Span<const int32_t> tokens) const = 0;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SCORER_H_
