// Layers of Transformers.
#ifndef SEQ2SEQ_MODEL_TRANSFORMER_LAYER_H_
#define SEQ2SEQ_MODEL_TRANSFORMER_LAYER_H_

#include <cstdint>

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/inference/decoder_options.h"
#include "seq2seq/inference/encoder_options.h"
#include "seq2seq/model/transformer_attention.h"

namespace seq2seq {

// Layers compute padded sequences, [batch, time, size], by LibTorch operations, or rows without
// padding, [row, size], by the kernels, which agree.

// Base class of layers: residual connections around sub-layers, each with layer normalisation, of
// which the last is a feed-forward network. Parameters have the names of
// torch.nn.TransformerEncoderLayer and TransformerDecoderLayer.
class TransformerLayerImpl : public torch::nn::Module {
 protected:
  TransformerLayerImpl(int64_t size, double dropout, const TransformerOptions& options,
                       const PassPhases& phases);

  // The residual connection around `run`, with dropout of its result.
  template <typename SubLayer>
  torch::Tensor Residual(const torch::Tensor& input, torch::nn::LayerNorm& norm,
                         const SubLayer& run) {
    const bool before = options_.norm == NormPlacement::kPre;
    const torch::Tensor sum = AddDropped(input, run(before ? Normalize(norm, input) : input));
    return before ? sum : Normalize(norm, sum);
  }

  // Makes the modules of the feed-forward network, after those of the derived class.
  void MakeFeedForward();
  torch::Tensor FeedForward(const torch::Tensor& input);

  torch::nn::LayerNorm MakeNorm() const;

  const int64_t size_;
  const double dropout_;
  const TransformerOptions options_;
  const PassPhases phases_;

 private:
  torch::Tensor Normalize(torch::nn::LayerNorm& norm, const torch::Tensor& values) const;
  torch::Tensor AddDropped(const torch::Tensor& residual, const torch::Tensor& values) const;
  torch::Tensor FeedForwardRows(const torch::Tensor& input) const;

  torch::nn::Linear linear1_{nullptr};
  torch::nn::Linear gate_{nullptr};  // Of gated networks.
  torch::nn::Linear linear2_{nullptr};
};

// Self-attention and a feed-forward network.
class TransformerEncoderLayerImpl : public TransformerLayerImpl {
 public:
  explicit TransformerEncoderLayerImpl(const EncoderOptions& options);

  // [batch, source, size]; `bias`, [batch, 1, 1, source], is minus infinity at padding.
  torch::Tensor forward(const torch::Tensor& input, const torch::Tensor& bias);
  torch::Tensor ForwardRows(const torch::Tensor& input, const RowLayout& layout);

 private:
  TransformerAttention self_attn_;
  torch::nn::LayerNorm norm1_, norm2_;
};
TORCH_MODULE(TransformerEncoderLayer);

// Simpler simple recurrent unit (Kim et al. 2019): c = f c' + (1 - f) W x with f = sigmoid(W_f x +
// b), where c' is c of the time step before; the output is ReLU(c).
class SsruImpl : public torch::nn::Module {
 public:
  explicit SsruImpl(int64_t size);

  // [row, time, size]; `cell`, [row, size], is c before the first time step, or undefined for zero,
  // and becomes c after the last.
  torch::Tensor forward(const torch::Tensor& input, torch::Tensor& cell);
  // Whole sequences, [row, size].
  torch::Tensor ForwardRows(const torch::Tensor& input, const RowLayout& layout,
                            const PassPhases& phases) const;

 private:
  torch::Tensor weight_;  // [2 x size, size], W and then W_f.
  torch::Tensor bias_;    // [size], b.
};
TORCH_MODULE(Ssru);

// What a decoder layer keeps from time step to time step: keys and values of self-attention, or the
// state of the recurrent unit, [row, size]. Undefined before the first.
struct TransformerLayerState {
  KeysValues self;
  torch::Tensor cell;

  TransformerLayerState Select(const torch::Tensor& rows) const;
};

// The encoder output as decoder layers attend to it.
struct TransformerMemory {
  KeysValues of_layer;  // Of this layer, [sentence, …].
  torch::Tensor bias;   // [sentence, 1, 1, source], minus infinity at padding.
  torch::Tensor* weights =
      nullptr;  // Set to the attention weights, [sentence, heads, query, source].
};

// Self-attention to earlier time steps, or a recurrent unit, attention to the source, and a
// feed-forward network.
class TransformerDecoderLayerImpl : public TransformerLayerImpl {
 public:
  // `memory` is the size of the encoder output; 0 without a source.
  TransformerDecoderLayerImpl(int64_t memory, const DecoderOptions& options);

  // Keys and values of the encoder output, [sentence, source, memory]; only with a source.
  KeysValues Memorize(const torch::Tensor& encoded) const {
    return multihead_attn_->Memorize(encoded);
  }

  // `time` time steps that follow `state`, which is updated: [row, time, size]. Rows are in equal
  // groups, one per sentence of the memory.
  torch::Tensor forward(const torch::Tensor& input, TransformerLayerState& state,
                        const TransformerMemory& memory);

  // Whole targets, [row, size]. `encoded`, [source row, memory], is the encoder output. Sets
  // `attended` unless that is null.
  torch::Tensor ForwardRows(const torch::Tensor& input, const RowLayout& layout,
                            const torch::Tensor& encoded, const RowLayout& encoded_layout,
                            AttendedRows* attended);

 private:
  torch::Tensor Recur(const torch::Tensor& input, TransformerLayerState& state);

  TransformerAttention self_attn_{nullptr};
  Ssru ssru_{nullptr};
  TransformerAttention multihead_attn_{nullptr};
  torch::nn::LayerNorm norm1_, norm2_{nullptr}, norm3_;
};
TORCH_MODULE(TransformerDecoderLayer);

// Biases of attention scores, 0 or minus infinity. They hide padding, where `mask`, [batch,
// source], is false: [batch, 1, 1, source]; and from each time step the later ones: [time, before +
// time].
torch::Tensor PaddingBias(const torch::Tensor& mask, const torch::Tensor& like);
torch::Tensor CausalBias(int64_t before, int64_t time, const torch::Tensor& like);

// The layer normalisation after the last layer, of values or rows; none if `norm` is empty.
torch::Tensor NormalizeLast(torch::nn::LayerNorm& norm, const torch::Tensor& values,
                            const PassPhases& phases);

// The input of the first layer for the kernels, [row, size]: as AddPositions of the embeddings of
// `tokens`, [batch, time], with dropout.
torch::Tensor EmbedRows(const torch::Tensor& tokens, const torch::Tensor& embedding,
                        const RowLayout& layout, const TransformerOptions& options,
                        const torch::Tensor& learned, double dropout);

// A parameter of learned positions, [max_positions, size], initialised as embeddings are.
torch::Tensor MakePositions(const TransformerOptions& options, int64_t size);

// The embeddings `embedded`, [batch, time, size], of the positions from `first` on, times
// sqrt(size), and with their positions added; `learned`, [max_positions, size], for learned ones.
torch::Tensor AddPositions(const torch::Tensor& embedded, int64_t first,
                           const TransformerOptions& options, const torch::Tensor& learned);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_TRANSFORMER_LAYER_H_
