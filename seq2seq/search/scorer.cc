#include "seq2seq/search/scorer.h"

#include <torch/torch.h>

namespace seq2seq {

torch::Tensor LogProbabilities(const StepScores& step) {
  const Matrix& scores = step.scores;
  return torch::from_blob(scores.data, {scores.rows, scores.columns}, {scores.stride, 1}) -
         torch::from_blob(const_cast<float*>(step.normalizers.data()), {scores.rows, 1});
}

}  // namespace seq2seq
