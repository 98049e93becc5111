#include "seq2seq/model/decoder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <torch/torch.h>

#include "seq2seq/model/copying.h"
#include "seq2seq/model/dropout.h"
#include "seq2seq/model/head_decoder.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/model/recurrent_decoder.h"
#include "seq2seq/model/sampled_softmax.h"
#include "seq2seq/model/transformer_decoder.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/ops/output_loss_op.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

DecoderImpl::DecoderImpl(int64_t vocab, const DecoderOptions& options,
                         torch::nn::Embedding embedding)
    : embedding_(register_module("embedding", embedding.is_empty()
                                                  ? MakeEmbedding(vocab, EmbeddingSize(options))
                                                  : std::move(embedding))),
      copies_(options.copy),
      tied_(options.tied_embeddings),
      variational_(options.variational && options.kind == DecoderKind::kRecurrent),
      output_dropout_(OutputDropout(options)) {}

void DecoderImpl::MakeOutputLayer(int64_t size) {
  const int64_t vocab = embedding_->weight.size(0);
  if (tied_) {
    output_weight_ = embedding_->weight;
  } else {
    output_weight_ = register_parameter("output_weight", torch::empty({vocab, size}));
    InitializeXavier(output_weight_);
  }
  output_bias_ = register_parameter("output_bias", torch::zeros({vocab}));
  if (copies_) copy_gate_ = register_module("copy_gate", MakeLinear(size, 1, /*bias=*/true));
}

torch::Tensor DecoderImpl::CopyLogits(const torch::Tensor& outputs) {
  return copy_gate_(outputs).squeeze(-1);
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

torch::Tensor DecoderImpl::DrawPredicted(const torch::Tensor& tokens,
                                         const TeacherForcing& forcing) {
  if (forcing.rate >= 1.0) return {};
  const torch::Tensor predicted =
      forcing.Draw(tokens.size(0), tokens.size(1), tokens.device()).logical_not();
  // The first token is always bos.
  return torch::cat({torch::zeros_like(predicted.narrow(1, 0, 1)), predicted.slice(1, 1)}, 1);
}

torch::Tensor DecoderImpl::WithPredictedTokens(const torch::Tensor& tokens,
                                               const torch::Tensor& outputs,
                                               const torch::Tensor& predicted,
                                               const TeacherForcing& forcing) const {
  torch::Tensor mixed = tokens.clone();
  torch::Tensor rest = mixed.slice(1, 1);  // The first token is always bos.
  const torch::Tensor chosen = predicted.slice(1, 1).logical_and(rest.ne(kPadId));
  const torch::Tensor rows = outputs.slice(1, 0, rest.size(1)).index({chosen});
  constexpr int64_t kLogits = 1 << 22;
  std::vector<torch::Tensor> tokens_of_rows;
  for (const torch::Tensor& part :
       rows.split(std::max<int64_t>(kLogits / output_weight_.size(0), 1))) {
    if (part.size(0) > 0) tokens_of_rows.push_back(forcing.Choose(Preview(part)));
  }
  if (!tokens_of_rows.empty()) rest.masked_scatter_(chosen, torch::cat(tokens_of_rows));
  return mixed;
}

Loss DecoderImpl::ComputeLoss(const Decoded& decoded, const Batch& batch, const LossTerms& terms) {
  if (!copies()) return OutputLoss(decoded.outputs, batch, terms, {});
  TORCH_CHECK(terms.distillation.teachers.empty(), "a model that copies cannot have teachers");
  // With the odds of copying o, p = (q + o attention) / (1 + o). The loss of the output layer is of
  // the numerator, and smoothing spreads q alone.
  const torch::Tensor log_odds = CopyLogits(decoded.outputs);  // [batch, target]
  Loss loss = OutputLoss(decoded.outputs, batch, terms,
                         log_odds + LogAttentionTo(batch.target_output, decoded.log_attention,
                                                   batch.SourcesOfTargets()));
  torch::Tensor log_total = torch::softplus(log_odds);  // log(1 + o)
  loss.nll = loss.nll + SelectTokens(log_total.detach(), batch).sum();
  if (batch.target_weights.defined()) log_total = log_total * batch.target_weights.unsqueeze(1);
  loss.objective = loss.objective + terms.scale * SelectTokens(log_total, batch).sum();
  return loss;
}

Loss DecoderImpl::OutputLoss(const torch::Tensor& outputs, const Batch& batch,
                             const LossTerms& terms, const torch::Tensor& log_copied) const {
  if (terms.sampled_softmax == 0 || !is_training())
    return OutputLoss(outputs, {output_weight_, output_bias_}, batch, terms, log_copied);
  const SampledVocabulary sampled =
      SampleVocabulary(batch.target_output, output_weight_.size(0), terms.sampled_softmax);
  Batch mapped = batch;
  mapped.target_output = sampled.references;
  // The gradient of the weights has the rows of these tokens alone.
  const OutputWeights layer = {torch::embedding(output_weight_, sampled.tokens, /*padding_idx=*/-1,
                                                /*scale_grad_by_freq=*/false, /*sparse=*/true),
                               output_bias_.index_select(0, sampled.tokens) + sampled.corrections};
  return OutputLoss(outputs, layer, mapped, terms, log_copied);
}

Loss DecoderImpl::OutputLoss(const torch::Tensor& outputs, const OutputWeights& layer,
                             const Batch& batch, const LossTerms& terms,
                             const torch::Tensor& log_copied) const {
  const double smoothing = batch.target_weights.defined() ? 0 : terms.smoothing;
  if (UsesKernels(output_weight_)) {
    // The kernel applies dropout itself, with a new mask for each time step.
    const bool shared = SharesMasks();
    return FusedCrossEntropy(shared ? DropOutputs(outputs) : outputs, batch.target_output,
                             layer.weight, layer.bias, smoothing, terms.scale,
                             is_training() && !shared ? output_dropout_ : 0, terms.distillation,
                             batch.target_weights, log_copied);
  }
  const torch::Tensor logits =
      torch::linear(SelectTokens(DropOutputs(outputs), batch), layer.weight, layer.bias);
  Loss loss = CrossEntropy(logits, batch, smoothing, terms.distillation, log_copied);
  loss.objective = loss.objective * terms.scale;
  return loss;
}

Distillation::Teacher DecoderImpl::Teach(const torch::Tensor& outputs) const {
  TORCH_CHECK(!copies(), "a model that copies cannot teach");
  return {outputs, output_weight_, output_bias_};
}

Decoder MakeDecoder(const ModelOptions& options, torch::nn::Embedding embedding) {
  std::shared_ptr<DecoderImpl> decoder;
  switch (options.decoder.kind) {
    case DecoderKind::kRecurrent:
      decoder = std::make_shared<RecurrentDecoderImpl>(options, std::move(embedding));
      break;
    case DecoderKind::kTransformer:
    case DecoderKind::kSsru:
      decoder = std::make_shared<TransformerDecoderImpl>(options, std::move(embedding));
      break;
    case DecoderKind::kHead:
      decoder = std::make_shared<HeadDecoderImpl>(options, std::move(embedding));
      break;
  }
  return Decoder(decoder);
}

}  // namespace seq2seq
