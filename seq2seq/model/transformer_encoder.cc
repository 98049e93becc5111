#include "seq2seq/model/transformer_encoder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/profile.h"
#include "seq2seq/inference/dropout_rate.h"
#include "seq2seq/model/dropout.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/ops/sequence_ops.h"

namespace seq2seq {

TransformerEncoderImpl::TransformerEncoderImpl(int64_t vocab, const EncoderOptions& options,
                                               torch::nn::Embedding embedding)
    : options_(options), embedding_(std::move(embedding)) {
  if (embedding_.is_empty())
    embedding_ = register_module("embedding", MakeEmbedding(vocab, options.hidden));
  if (options.transformer.positions == PositionKind::kLearned)
    positions_ =
        register_parameter("positions", MakePositions(options.transformer, options.hidden));
  for (int64_t number = 0; number < options.layers; ++number) {
    layers_.push_back(
        register_module(absl::StrCat("layer_", number), TransformerEncoderLayer(options)));
  }
  if (options.transformer.norm == NormPlacement::kPre) {
    norm_ = register_module("norm",
                            torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.hidden})));
  }
}

Encoded TransformerEncoderImpl::forward(const Batch& batch) {
  const PhaseTimer timer(Phase::kEncoderForward);
  const torch::Tensor tokens =
      is_training() ? DropWords(batch.source, options_.word_dropout) : batch.source;
  const torch::Tensor& lengths = batch.source_lengths;
  const torch::Tensor mask =
      (torch::arange(tokens.size(1)) < lengths.unsqueeze(1)).to(tokens.device());
  Encoded encoded;
  encoded.values = is_fused() ? FusedStates(tokens, lengths) : PlainStates(tokens, mask);
  encoded.lengths = lengths;
  encoded.final = encoded.values.sum(1) / mask.sum(1, /*keepdim=*/true);
  return encoded;
}

torch::Tensor TransformerEncoderImpl::FusedStates(const torch::Tensor& tokens,
                                                  const torch::Tensor& lengths) {
  const RowLayout layout = LayOutRows(lengths, options_.hidden, options_.transformer);
  torch::Tensor states =
      EmbedRows(tokens, embedding_->weight, layout, options_.transformer, positions_,
                is_training() ? DropoutOf(options_.embedding_dropout, options_.dropout) : 0);
  for (TransformerEncoderLayer& layer : layers_) states = layer->ForwardRows(states, layout);
  return PadRows(NormalizeLast(norm_, states, kEncoderPhases), layout.rows, tokens.size(1));
}

torch::Tensor TransformerEncoderImpl::PlainStates(const torch::Tensor& tokens,
                                                  const torch::Tensor& mask) {
  torch::Tensor states =
      torch::dropout(AddPositions(embedding_(tokens), 0, options_.transformer, positions_),
                     DropoutOf(options_.embedding_dropout, options_.dropout), is_training());
  const torch::Tensor bias = PaddingBias(mask, states);
  for (TransformerEncoderLayer& layer : layers_) states = layer(states, bias);
  return NormalizeLast(norm_, states, kEncoderPhases) * mask.unsqueeze(2);
}

}  // namespace seq2seq
