// What search knows of a model.
#ifndef SEQ2SEQ_SEARCH_SCORER_H_
#define SEQ2SEQ_SEARCH_SCORER_H_

#include <cstdint>

#include <torch/types.h>

namespace seq2seq {

// Scores continuations of many hypotheses at once. It begins with one row a sentence; search then
// keeps equally many rows for each, next to each other.
class Scorer {
 public:
  virtual ~Scorer() = default;

  // Sentences that it began with.
  virtual int64_t batch() const = 0;

  // Appends a token to each hypothesis, [row], and returns the log-probabilities of what may
  // follow, [row, vocab], in fp32 on the CPU. The first call gets the beginning of sentence.
  virtual torch::Tensor Step(const torch::Tensor& tokens) = 0;

  // Row r goes on from what was row rows[r], [row]; sentence s is what was sentences[s], [batch].
  virtual void Select(const torch::Tensor& rows, const torch::Tensor& sentences) = 0;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SCORER_H_
