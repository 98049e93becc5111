#include "seq2seq/model/decoder.h"

#include <utility>

#include <torch/torch.h>

#include "seq2seq/inference/dropout_rate.h"
#include "seq2seq/model/dropout.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/model/recurrent_decoder.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/ops/output_loss_op.h"

namespace seq2seq {

DecoderImpl::DecoderImpl(int64_t vocab, const DecoderOptions& options,
                         torch::nn::Embedding embedding)
    : embedding_(register_module("embedding", embedding.is_empty()
                                                  ? MakeEmbedding(vocab, options.embedding)
                                                  : std::move(embedding))),
      tied_(options.tied_embeddings),
      variational_(options.variational),
      output_dropout_(DropoutOf(options.output_dropout, options.dropout)) {}

void DecoderImpl::MakeOutputLayer(int64_t size) {
  const int64_t vocab = embedding_->weight.size(0);
  if (tied_) {
    output_weight_ = embedding_->weight;
  } else {
    output_weight_ = register_parameter("output_weight", torch::empty({vocab, size}));
    InitializeXavier(output_weight_);
  }
  output_bias_ = register_parameter("output_bias", torch::zeros({vocab}));
}

torch::Tensor DecoderImpl::DropOutputs(const torch::Tensor& outputs) const {
  if (!SharesMasks()) return torch::dropout(outputs, output_dropout_, is_training());
  return outputs * DropoutMask({outputs.size(0), 1, outputs.size(2)}, output_dropout_, outputs);
}

torch::Tensor DecoderImpl::Logits(const torch::Tensor& outputs, const torch::Tensor& tokens) const {
  const auto of = [&](const torch::Tensor& rows) {
    return tokens.defined() ? rows.index_select(0, tokens) : rows;
  };
  return torch::linear(outputs, of(output_weight_), of(output_bias_));
}

torch::Tensor DecoderImpl::Preview(const torch::Tensor& outputs) const {
  const NoGradPass no_grad;
  return Logits(outputs);
}

Loss DecoderImpl::ComputeLoss(const torch::Tensor& outputs, const Batch& batch, double smoothing,
                              double scale) const {
  if (UsesKernels(output_weight_)) {
    // The kernel applies dropout itself, with a new mask for each time step.
    const bool shared = SharesMasks();
    return FusedCrossEntropy(shared ? DropOutputs(outputs) : outputs, batch.target_output,
                             output_weight_, output_bias_, smoothing, scale,
                             is_training() && !shared ? output_dropout_ : 0);
  }
  Loss loss = CrossEntropy(Logits(SelectTokens(DropOutputs(outputs), batch)), batch, smoothing);
  loss.objective = loss.objective * scale;
  return loss;
}

Decoder MakeDecoder(const ModelOptions& options, torch::nn::Embedding embedding) {
  return Decoder(std::shared_ptr<DecoderImpl>(
      std::make_shared<RecurrentDecoderImpl>(options, std::move(embedding))));
}

}  // namespace seq2seq
