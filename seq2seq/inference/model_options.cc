#include "seq2seq/inference/model_options.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {

absl::Status Validate(const ModelOptions& options) {
  const bool text = options.source == SourceKind::kText;
  const bool image = options.source == SourceKind::kImage;
  const bool alone = options.source == SourceKind::kNone;
  if (image) SEQ2SEQ_RETURN_IF_ERROR(Validate(options.image));
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options.encoder));
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options.decoder));
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options.initialization));

  OptionRules rules;
  if (text) rules.ExpectSize("model.source_vocab", options.source_vocab);
  rules.ExpectSize("model.target_vocab", options.target_vocab);
  const AttentionKind attention = options.decoder.attention;
  const std::string name = EnumText(attention);
  const bool blind = attention == AttentionKind::kNone;
  rules.Expect("model.decoder.attention", name, blind || !alone, "none where model.source is none");
  const bool recurrent = options.decoder.kind == DecoderKind::kRecurrent;
  rules.Expect("model.decoder.attention", name, recurrent || alone || !blind,
               absl::StrCat("another than none, where model.decoder.kind is ",
                            EnumText(options.decoder.kind), " and there is a source"));
  rules.Expect("model.bridge", "zero",
               !recurrent || !blind || alone || options.bridge != BridgeKind::kZero,
               "another where model.decoder.attention is none");

  // Dot-product attention and the bridge copy need equal sizes.
  const int64_t encoded = EncodedSize(options);
  const std::pair<std::string, bool> binding[] = {
      {"model.decoder.attention: " + name,
       recurrent && (attention == AttentionKind::kDot || attention == AttentionKind::kScaledDot)},
      {"model.bridge: copy", recurrent && !alone && options.bridge == BridgeKind::kCopy},
  };
  for (const auto& [what, binds] : binding) {
    if (!rules.status().ok() || !binds || options.decoder.hidden == encoded) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        what, " needs model.decoder.hidden to be ", encoded, ", which is ",
        image ? "model.image.hidden" : "model.encoder.hidden in each direction of the last layer",
        "; found ", options.decoder.hidden));
  }
  const bool by_layers = recurrent && !alone && options.bridge == BridgeKind::kLayers;
  rules.Expect("model.bridge", "layers",
               !by_layers || (text && options.encoder.kind == EncoderKind::kRecurrent),
               "another where the encoder is not recurrent");
  rules.Expect("model.decoder.layers", options.decoder.layers,
               !by_layers || options.decoder.layers == options.encoder.layers,
               absl::StrCat(options.encoder.layers,
                            ", as model.encoder.layers, where model.bridge is layers"));
  rules.Expect(
      "model.decoder.cell", EnumText(options.decoder.cell),
      !by_layers || HasCellState(options.decoder.cell) == HasCellState(options.encoder.cell),
      absl::StrCat("one with the states of model.encoder.cell, ", EnumText(options.encoder.cell),
                   ", where model.bridge is layers"));
  for (int64_t layer = 0; by_layers && layer < options.encoder.layers; ++layer) {
    const int64_t size = LayerSize(options.encoder, layer);
    rules.Expect(
        "model.decoder.hidden", options.decoder.hidden, options.decoder.hidden == size,
        absl::StrCat(size, ", as layer ", layer, " of the encoder, where model.bridge is layers"));
  }
  const bool shared = options.shared_embeddings;
  rules.Expect("model.shared_embeddings", "false",
               shared || options.decoder.kind != DecoderKind::kHead,
               "true where model.decoder.kind is head");
  rules.Expect("model.shared_embeddings", "true", !shared || text,
               "false unless model.source is text");
  rules.Expect("model.decoder.copy", "true", !options.decoder.copy || (text && !blind),
               "false unless model.source is text and there is attention to it");
  rules.Expect(
      "model.decoder.copy",
      absl::StrCat("true for ", options.source_vocab, " and ", options.target_vocab, " subwords"),
      !options.decoder.copy || options.source_vocab == options.target_vocab,
      "one tokenizer for both sides");
  rules.Expect("model.shared_embeddings",
               absl::StrCat(options.source_vocab, " x ", EmbeddingSize(options.encoder), " and ",
                            options.target_vocab, " x ", EmbeddingSize(options.decoder)),
               !shared || (options.source_vocab == options.target_vocab &&
                           EmbeddingSize(options.encoder) == EmbeddingSize(options.decoder)),
               "vocabularies and embeddings of equal sizes on both sides");
  return rules.status();
}

int64_t EncodedSize(const ModelOptions& options) {
  switch (options.source) {
    case SourceKind::kText:
      return OutputSize(options.encoder);
    case SourceKind::kImage:
      return options.image.hidden;
    case SourceKind::kNone:
      return 0;
  }
  return 0;  // Not one of the kinds.
}

std::string UnsupportedPart(const ModelOptions& options) {
  const ImageNetworkKind network = options.image.network.kind;
  if (options.source == SourceKind::kImage && network == ImageNetworkKind::kTorchscript)
    return absl::StrCat("image.network.kind=", EnumText(network));
  const DecoderKind decoder = options.decoder.kind;
  return decoder == DecoderKind::kHead ? absl::StrCat("decoder.kind=", EnumText(decoder)) : "";
}

BridgeKind BridgeOf(const ModelOptions& options) {
  const bool none =
      options.source == SourceKind::kNone || options.decoder.kind != DecoderKind::kRecurrent;
  return none ? BridgeKind::kZero : options.bridge;
}

bool HasAttention(const ModelOptions& options) {
  return options.source != SourceKind::kNone && options.decoder.attention != AttentionKind::kNone;
}

}  // namespace seq2seq
