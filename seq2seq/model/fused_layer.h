// The kernels of recurrent layers behind autograd. The plain formulas are in cell.h; both agree.
#ifndef SEQ2SEQ_MODEL_FUSED_LAYER_H_
#define SEQ2SEQ_MODEL_FUSED_LAYER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include <torch/types.h>

#include "seq2seq/kernels/steps.h"
#include "seq2seq/model/cell.h"

namespace seq2seq {

// One step of a cell behind its product with the state: as CellImpl::Combine.
CellState FusedGates(const CellImpl& cell, const torch::Tensor& projected,
                     const torch::Tensor& recurrent, const CellState& state);

// The steps of sequences of `lengths`, [batch], of which the layers run `side_by_side` at once.
std::shared_ptr<const Steps> MakeSteps(const torch::Tensor& lengths, int64_t side_by_side);

// A layer of one or two directions over the rows of `steps`: [row, input] -> [row, directions x
// hidden].
torch::Tensor FusedLayer(absl::Span<const Cell> directions, const torch::Tensor& input,
                         std::shared_ptr<const Steps> steps);

// As torch::linear without bias: [..., input] -> [..., output].
torch::Tensor FusedLinear(const torch::Tensor& input, const torch::Tensor& weight);

// The embeddings, [row, size], of the tokens, [batch, time], of `steps`, with dropout if `rate` is
// not 0. The gradient is sparse: it has the rows of the tokens, but for padding's.
torch::Tensor FusedEmbedding(const torch::Tensor& weight, const torch::Tensor& tokens,
                             std::shared_ptr<const Steps> steps, double rate);

// Dropout of rows, [row, size].
torch::Tensor FusedDropout(const torch::Tensor& rows, double rate);

// From the rows of `steps` to padded sequences: [row, size] -> [batch, time, size], zero at
// padding.
torch::Tensor PadRows(const torch::Tensor& rows, std::shared_ptr<const Steps> steps, int64_t time);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_FUSED_LAYER_H_
