// Transformer decoder, and its form with recurrent units in the place of self-attention.
#ifndef SEQ2SEQ_MODEL_TRANSFORMER_DECODER_H_
#define SEQ2SEQ_MODEL_TRANSFORMER_DECODER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include "seq2seq/model/decoder.h"
#include "seq2seq/model/transformer_layer.h"
#include "seq2seq/ops/compute.h"

namespace seq2seq {

// The state of a TransformerDecoder.
struct TransformerDecoderState : DecoderState {
  Encoded encoded;
  // Of each layer, [sentence, …], made by the first time step; empty without a source.
  std::vector<KeysValues> memory;
  torch::Tensor bias;  // [sentence, 1, 1, source], minus infinity at padding.
  std::vector<TransformerLayerState> layers;
  int64_t time = 0;  // Time steps so far.

  std::shared_ptr<const DecoderState> Select(const torch::Tensor& sentences,
                                             const torch::Tensor& rows) const override;
};

// Stacked layers over target embeddings with positions: masked self-attention (Vaswani et al. 2017)
// or simpler simple recurrent units (Kim et al. 2019), and attention to the source. With norm
// `pre`, a layer normalisation after the last. Training computes whole targets at once, but for
// scheduled sampling in the form `stepwise`. The attention weights of a time step are the means
// over the heads of the last layer or, with aligned_head, those of the first of these.
class TransformerDecoderImpl : public DecoderImpl {
 public:
  // Shares `embedding` unless that is empty.
  TransformerDecoderImpl(const ModelOptions& model, torch::nn::Embedding embedding);

  std::shared_ptr<const DecoderState> Start(const Encoded& encoded) override;
  Decoded forward(const torch::Tensor& tokens, const torch::Tensor& lengths,
                  const DecoderState& start, const TeacherForcing& forcing,
                  bool with_attention) override;
  DecoderStep Step(const torch::Tensor& tokens, const DecoderState& state) override;
  bool is_fused() const override { return UsesKernels(output_weight_); }
  std::string DescribePath() const override {
    return is_fused() ? "fused decoder" : "decoder without kernels";
  }

 private:
  // Decodes whole targets, [batch, target], with `lengths`, [batch], by the kernels.
  Decoded FusedDecode(const torch::Tensor& tokens, const torch::Tensor& lengths,
                      const Encoded& encoded, bool with_attention);
  // The outputs of `tokens`, [row, time], that follow `state`, which is updated; sets the attention
  // weights of the last layer, [sentence, heads, query, source], unless `weights` is null.
  torch::Tensor Advance(const torch::Tensor& tokens, TransformerDecoderState& state,
                        torch::Tensor* weights);
  // Decodes whole targets, where predicted tokens depend on earlier ones.
  Decoded DecodeStepwise(const torch::Tensor& tokens, const torch::Tensor& predicted,
                         TransformerDecoderState state, const TeacherForcing& forcing,
                         bool with_attention);
  // What is called the attention weights of the decoder, from those of the heads, [batch, heads,
  // target, source]: [batch, target, source].
  torch::Tensor OfHeads(const torch::Tensor& weights) const;

  const DecoderOptions options_;
  const bool has_attention_;
  torch::Tensor positions_;  // Learned, [max_positions, hidden].
  std::vector<TransformerDecoderLayer> layers_;
  torch::nn::LayerNorm norm_{nullptr};
};
TORCH_MODULE(TransformerDecoder);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_TRANSFORMER_DECODER_H_
