// Transformer encoder of text.
#ifndef SEQ2SEQ_MODEL_TRANSFORMER_ENCODER_H_
#define SEQ2SEQ_MODEL_TRANSFORMER_ENCODER_H_

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include "seq2seq/inference/encoder_options.h"
#include "seq2seq/model/encoder.h"
#include "seq2seq/model/transformer_layer.h"
#include "seq2seq/ops/compute.h"

namespace seq2seq {

// Stacked layers of self-attention over embeddings with positions (Vaswani et al. 2017); with norm
// `pre`, a layer normalisation after the last. The summary is the mean of the output.
class TransformerEncoderImpl : public EncoderImpl {
 public:
  // Shares `embedding`, or makes its own if that is empty.
  TransformerEncoderImpl(int64_t vocab, const EncoderOptions& options,
                         torch::nn::Embedding embedding);

  Encoded forward(const Batch& batch) override;
  std::string DescribePath() const override {
    return is_fused() ? "fused encoder" : "encoder without kernels";
  }

 private:
  bool is_fused() const { return UsesKernels(embedding_->weight); }
  // The output, [batch, source, hidden]: by the kernels, or by LibTorch operations, where `mask`,
  // [batch, source], is false at padding.
  torch::Tensor FusedStates(const torch::Tensor& tokens, const torch::Tensor& lengths);
  torch::Tensor PlainStates(const torch::Tensor& tokens, const torch::Tensor& mask);

  const EncoderOptions options_;
  torch::nn::Embedding embedding_;
  torch::Tensor positions_;  // Learned, [max_positions, hidden].
  std::vector<TransformerEncoderLayer> layers_;
  torch::nn::LayerNorm norm_{nullptr};
};
TORCH_MODULE(TransformerEncoder);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_TRANSFORMER_ENCODER_H_
