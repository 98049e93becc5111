// Head of a masked language model: predicts subwords of the source from the encoder output.
#ifndef SEQ2SEQ_MODEL_HEAD_DECODER_H_
#define SEQ2SEQ_MODEL_HEAD_DECODER_H_

#include <memory>
#include <string>

#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include "seq2seq/model/decoder.h"

namespace seq2seq {

// The state of a HeadDecoder.
struct HeadState : DecoderState {
  torch::Tensor encoded;  // [batch, source, size]

  // Throws: search has no use for it.
  std::shared_ptr<const DecoderState> Select(const torch::Tensor& sentences,
                                             const torch::Tensor& rows) const override;
};

// A dense layer with GELU and layer normalisation over the encoder output, and the output layer,
// which is tied to the embedding of the encoder (Devlin et al. 2019). Its tokens are positions of
// the source; there are no time steps.
class HeadDecoderImpl : public DecoderImpl {
 public:
  // Shares `embedding`, which must not be empty, with the encoder.
  HeadDecoderImpl(const ModelOptions& model, torch::nn::Embedding embedding);

  std::shared_ptr<const DecoderState> Start(const Encoded& encoded) override;
  // `tokens` are the positions of the subwords to predict, [batch, target].
  Decoded forward(const torch::Tensor& tokens, const torch::Tensor& lengths,
                  const DecoderState& start, const TeacherForcing& forcing,
                  bool with_attention) override;
  // Throws.
  DecoderStep Step(const torch::Tensor& tokens, const DecoderState& state) override;
  bool is_fused() const override { return false; }
  std::string DescribePath() const override { return "head"; }

 private:
  torch::nn::Linear dense_;
  torch::nn::LayerNorm norm_;
};
TORCH_MODULE(HeadDecoder);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_HEAD_DECODER_H_
