// Parts of Transformer and SSRU layers with gradients, on the kernels.
#ifndef SEQ2SEQ_OPS_TRANSFORMER_OPS_H_
#define SEQ2SEQ_OPS_TRANSFORMER_OPS_H_

#include <cstdint>
#include <memory>

#include <torch/types.h>

#include "seq2seq/base/profile.h"
#include "seq2seq/kernels/activation.h"
#include "seq2seq/kernels/rotary.h"
#include "seq2seq/kernels/sequence_rows.h"

namespace seq2seq {

// All tensors are fp32 on the CPU and have a row for each token, in the order of SequenceRows; see
// there for the rows past the last token. `phases` are for the profile. A layer with normalisation
// before its parts, of rows [row, size]:
//
//   x = FusedLayerNorm(rows, gain, bias, phases);
//   x = FusedLinear(x, in_weight, phases, in_bias);               // [row, 3 size]
//   x = FusedSelfAttention(x, sequences, {.heads = 4}, phases);   // [row, size]
//   rows = FusedDropoutAdd(rows, FusedLinear(x, out_weight, phases, out_bias), 0.1, phases);
//
// A backward pass drops what its forward pass dropped, and may be repeated.

// As torch::layer_norm over the columns, with an epsilon of 1e-5.
torch::Tensor FusedLayerNorm(const torch::Tensor& rows, const torch::Tensor& gain,
                             const torch::Tensor& bias, const PassPhases& phases);

struct FusedHeads {
  int64_t heads = 1;    // A divisor of the size.
  bool causal = false;  // Position i attends to positions 0 … i; of self-attention only.
  double dropout = 0;   // Of attention weights.
};

// Multi-head attention of each sentence to itself, as in kernels/multi_head_attention.h: queries,
// keys and values, [row, 3 size] -> [row, size].
torch::Tensor FusedSelfAttention(const torch::Tensor& projected,
                                 std::shared_ptr<const SequenceRows> rows, const FusedHeads& heads,
                                 const PassPhases& phases);

// Multi-head attention of queries, [row, size], to the keys and values, [source row, 2 size], of
// the same sentence: [row, size].
torch::Tensor FusedCrossAttention(const torch::Tensor& queries, const torch::Tensor& memory,
                                  std::shared_ptr<const SequenceRows> rows,
                                  std::shared_ptr<const SequenceRows> memory_rows,
                                  const FusedHeads& heads, const PassPhases& phases);

// activation(rows).
torch::Tensor FusedActivation(const torch::Tensor& rows, ActivationKind kind,
                              const PassPhases& phases);

// activation(gate) * value: gates, then values, [row, 2 size] -> [row, size].
torch::Tensor FusedGated(const torch::Tensor& gate_and_value, ActivationKind kind,
                         const PassPhases& phases);

// residual + dropout(rows).
torch::Tensor FusedDropoutAdd(const torch::Tensor& residual, const torch::Tensor& rows, double rate,
                              const PassPhases& phases);

// The hidden states of an SSRU, as in kernels/ssru.h: input, then forget gate, [row, 2 size] ->
// [row, size].
torch::Tensor FusedSsru(const torch::Tensor& product, std::shared_ptr<const SequenceRows> rows,
                        const PassPhases& phases);

// As the constructor of RotaryTable.
std::shared_ptr<const RotaryTable> MakeRotaryTable(int64_t head_size, int64_t positions,
                                                   double base = 10000);

// Rotary position embedding of the first `columns` columns, as in kernels/rotary.h: for a
// projection, [row, 3 size], queries and keys are `columns` = 2 size. The others are copied.
torch::Tensor FusedRotary(const torch::Tensor& projected, int64_t columns,
                          std::shared_ptr<const RotaryTable> table,
                          std::shared_ptr<const SequenceRows> rows, const PassPhases& phases);

}  // namespace seq2seq

#endif  // SEQ2SEQ_OPS_TRANSFORMER_OPS_H_
