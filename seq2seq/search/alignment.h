// Where a model looks.
#ifndef SEQ2SEQ_SEARCH_ALIGNMENT_H_
#define SEQ2SEQ_SEARCH_ALIGNMENT_H_

#include <vector>

#include <torch/types.h>

#include "seq2seq/model/model.h"

namespace seq2seq {

// Runs the decoder over the targets of a batch, and returns where each step looked: [batch, target,
// source] on the CPU, where the last step of a sentence says its end. Costs as much as greedy
// search.
torch::Tensor Align(Model model, const Batch& batch);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_ALIGNMENT_H_
