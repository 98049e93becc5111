#include "seq2seq/inference/decoder_options.h"

#include "absl/strings/str_cat.h"

#include "seq2seq/base/option_rules.h"
#include "seq2seq/inference/dropout_rate.h"

namespace seq2seq {

absl::Status Validate(const DecoderOptions& options) {
  OptionRules rules;
  rules.ExpectSize("model.decoder.embedding", options.embedding);
  rules.ExpectSize("model.decoder.hidden", options.hidden);
  rules.ExpectSize("model.decoder.layers", options.layers);
  rules.ExpectShare("model.decoder.dropout", options.dropout);
  rules.ExpectShare("model.decoder.embedding_dropout",
                    DropoutOf(options.embedding_dropout, options.dropout));
  rules.ExpectShare("model.decoder.output_dropout", OutputDropout(options));
  rules.ExpectShare("model.decoder.attention_dropout", options.attention_dropout);
  rules.ExpectShare("model.decoder.recurrent_dropout", options.recurrent_dropout);
  rules.Expect("model.decoder.recurrent_dropout", options.recurrent_dropout,
               options.recurrent_dropout == 0 || HasGates(options.cell),
               "0 for cells without gates");
  rules.ExpectShare("model.decoder.word_dropout", options.word_dropout);
  rules.Expect("model.decoder.doubly_stochastic", options.doubly_stochastic,
               options.doubly_stochastic >= 0 && options.doubly_stochastic <= 1000, "0 to 1,000");
  rules.Expect("model.decoder.attention_heads", options.attention_heads,
               options.kind != DecoderKind::kRecurrent ||
                   options.attention != AttentionKind::kMultiHead ||
                   (options.attention_heads >= 1 && options.hidden % options.attention_heads == 0),
               absl::StrCat("a divisor of model.decoder.hidden, ", options.hidden));
  const bool blind = options.attention == AttentionKind::kNone;
  switch (options.kind) {
    case DecoderKind::kRecurrent:
      rules.Expect("model.decoder.conditional", "true", !blind || !options.conditional,
                   "false where model.decoder.attention is none");
      rules.Expect("model.decoder.context_gate", "true", !blind || !options.context_gate,
                   "false where model.decoder.attention is none");
      rules.Expect("model.decoder.doubly_stochastic", options.doubly_stochastic,
                   !blind || options.doubly_stochastic == 0,
                   "0 where model.decoder.attention is none");
      break;
    case DecoderKind::kTransformer:
    case DecoderKind::kSsru:
      if (!rules.status().ok()) return rules.status();
      return Validate(options.transformer, options.hidden, "model.decoder");
    case DecoderKind::kHead:
      rules.Expect("model.decoder.tied_embeddings", "false", options.tied_embeddings,
                   "true where model.decoder.kind is head");
      rules.Expect("model.decoder.word_dropout", options.word_dropout, options.word_dropout == 0,
                   "0 where model.decoder.kind is head; model.encoder.word_dropout is another");
      rules.Expect("model.decoder.copy", "true", !options.copy,
                   "false where model.decoder.kind is head");
      break;
  }
  return rules.status();
}

int64_t EmbeddingSize(const DecoderOptions& options) {
  return options.kind == DecoderKind::kRecurrent ? options.embedding : options.hidden;
}

bool HasTrainingKernel(const DecoderOptions& options) {
  return HasTrainingKernel(options.cell) && HasTrainingKernel(options.attention) &&
         !options.context_gate && !(options.residual && options.layers > 1);
}

int64_t AttentionalSize(const DecoderOptions& options) {
  return options.tied_embeddings ? options.embedding : options.hidden;
}

int64_t OutputSize(const DecoderOptions& options) {
  return options.kind == DecoderKind::kRecurrent ? AttentionalSize(options) : options.hidden;
}

double OutputDropout(const DecoderOptions& options) {
  return DropoutOf(options.output_dropout,
                   options.kind == DecoderKind::kRecurrent ? options.dropout : 0);
}

}  // namespace seq2seq
