// Multi-head attention of Transformers.
#ifndef SEQ2SEQ_MODEL_TRANSFORMER_ATTENTION_H_
#define SEQ2SEQ_MODEL_TRANSFORMER_ATTENTION_H_

#include <cstdint>
#include <memory>

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/base/profile.h"
#include "seq2seq/inference/transformer_options.h"
#include "seq2seq/kernels/rotary.h"
#include "seq2seq/kernels/sequence_rows.h"

namespace seq2seq {

// Keys and values of attention, [batch, heads, source, size / heads] each. A value.
struct KeysValues {
  torch::Tensor keys;
  torch::Tensor values;

  KeysValues Select(const torch::Tensor& rows) const {
    return {keys.index_select(0, rows), values.index_select(0, rows)};
  }

  // Appends the keys and values of later positions.
  void Append(const KeysValues& later);
};

// The layout of tokens for the kernels, which compute rows without padding, [row, size].
struct RowLayout {
  std::shared_ptr<const SequenceRows> rows;
  std::shared_ptr<const RotaryTable> rotary;  // With rotary positions.
};

// The layout of sequences of `lengths`, [batch], in layers of `size` values.
RowLayout LayOutRows(const torch::Tensor& lengths, int64_t size, const TransformerOptions& options);

// What the attention weights of a layer depend on.
struct AttendedRows {
  torch::Tensor queries;  // [row, size], not scaled.
  torch::Tensor keys;     // [source row, size]
};

// Turns `heads`, [batch, heads, time, size], of positions from `first` on: value i of the first
// half of a head and value i of the second half are a vector, turned by position / 10000^(2i /
// size) (Su et al. 2021).
torch::Tensor Rotate(const torch::Tensor& heads, int64_t first);

// Scaled dot-product attention of several heads side by side (Vaswani et al. 2017), with parameters
// as those of torch.nn.MultiheadAttention: softmax(Q K' / sqrt(size / heads)) V of each head, then
// a linear layer.
class TransformerAttentionImpl : public torch::nn::Module {
 public:
  // From queries of `size` values to a memory of `memory` values.
  TransformerAttentionImpl(int64_t size, int64_t memory, const TransformerOptions& options);

  // [batch, target, size] -> [batch, heads, target, size / heads]
  torch::Tensor Queries(const torch::Tensor& input) const;

  // Of [batch, source, memory].
  KeysValues Memorize(const torch::Tensor& memory) const;

  // [batch, target, size], from queries [batch, heads, target, size / heads]. `bias`, which
  // broadcasts to [batch, heads, target, source], is added to the scores unless undefined; sets
  // `weights`, [batch, heads, target, source], unless null.
  torch::Tensor forward(const torch::Tensor& queries, const KeysValues& memory,
                        const torch::Tensor& bias, torch::Tensor* weights = nullptr);

  // The same on the kernels: self-attention, [row, size], causal or not; and attention of `input`,
  // [row, size], to MemorizeRows of the memory, [source row, memory] -> [source row, 2 x size],
  // which sets `attended` unless that is null.
  torch::Tensor SelfAttendRows(const torch::Tensor& input, const RowLayout& layout, bool causal,
                               const PassPhases& phases) const;
  torch::Tensor MemorizeRows(const torch::Tensor& memory, const PassPhases& phases) const;
  torch::Tensor AttendRows(const torch::Tensor& input, const RowLayout& layout,
                           const torch::Tensor& memory, const RowLayout& memory_layout,
                           const PassPhases& phases, AttendedRows* attended) const;

 private:
  // Part `part`, 0 to 2, of the projections of queries, keys and values.
  torch::Tensor Project(const torch::Tensor& input, int64_t part) const;
  // [batch, time, size] -> [batch, heads, time, size / heads]
  torch::Tensor SplitHeads(const torch::Tensor& rows) const;

  const int64_t size_;
  const int64_t heads_;
  const double dropout_;
  torch::Tensor in_proj_weight_;  // [3 x size, size]; undefined if the memory has another size.
  torch::Tensor projections_[3];  // Then these: [size, size], [size, memory], [size, memory].
  torch::Tensor in_proj_bias_;    // [3 x size]
  torch::nn::Linear out_proj_;
};
TORCH_MODULE(TransformerAttention);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_TRANSFORMER_ATTENTION_H_
