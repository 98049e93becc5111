#include "seq2seq/inference/encoder_options.h"

#include "seq2seq/base/option_rules.h"
#include "seq2seq/inference/dropout_rate.h"

namespace seq2seq {

absl::Status Validate(const EncoderOptions& options) {
  OptionRules rules;
  rules.ExpectSize("model.encoder.embedding", options.embedding);
  rules.ExpectSize("model.encoder.hidden", options.hidden);
  rules.ExpectSize("model.encoder.layers", options.layers);
  rules.ExpectShare("model.encoder.dropout", options.dropout);
  rules.ExpectShare("model.encoder.embedding_dropout",
                    DropoutOf(options.embedding_dropout, options.dropout));
  rules.ExpectShare("model.encoder.recurrent_dropout", options.recurrent_dropout);
  rules.Expect("model.encoder.recurrent_dropout", options.recurrent_dropout,
               options.recurrent_dropout == 0 || HasGates(options.cell),
               "0 for cells without gates");
  rules.ExpectShare("model.encoder.word_dropout", options.word_dropout);
  if (!rules.status().ok() || options.kind == EncoderKind::kRecurrent) return rules.status();
  return Validate(options.transformer, options.hidden, "model.encoder");
}

int64_t EmbeddingSize(const EncoderOptions& options) {
  return options.kind == EncoderKind::kTransformer ? options.hidden : options.embedding;
}

int64_t OutputSize(const EncoderOptions& options) {
  if (options.kind == EncoderKind::kTransformer) return options.hidden;
  return LayerSize(options, options.layers - 1);
}

int64_t LayerSize(const EncoderOptions& options, int64_t layer) {
  const bool both = IsBidirectional(options, layer) && !SumsDirections(options, layer);
  return (both ? 2 : 1) * options.hidden;
}

bool SumsDirections(const EncoderOptions& options, int64_t layer) {
  return options.merge == DirectionMerge::kSum && IsBidirectional(options, layer);
}

bool IsBidirectional(const EncoderOptions& options, int64_t layer) {
  return options.directions == Directions::kBidirectional ||
         (options.directions == Directions::kLowest && layer == 0);
}

bool AddsInput(const EncoderOptions& options, int64_t layer, int64_t input) {
  return options.residual && layer > 0 && input == LayerSize(options, layer);
}

int64_t CellsSideBySide(const EncoderOptions& options) {
  return options.directions == Directions::kBidirectional ? 2 : 1;
}

}  // namespace seq2seq
