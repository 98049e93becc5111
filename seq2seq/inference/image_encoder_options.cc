#include "seq2seq/inference/image_encoder_options.h"

#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {

absl::Status Validate(const ImageEncoderOptions& options) {
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options.input, "model.image.input"));
  OptionRules rules;
  const ImageNetworkOptions& network = options.network;
  const bool from_file =
      network.kind == ImageNetworkKind::kTorchscript || network.kind == ImageNetworkKind::kOnnx;
  rules.Expect("model.image.network.path", network.path, from_file != network.path.empty(),
               from_file ? "a file" : "no file for this kind of network");
  rules.Expect("model.image.network.fine_tune", network.fine_tune,
               !network.fine_tune || network.kind == ImageNetworkKind::kTorchscript,
               "true for torchscript only");
  rules.Expect("model.image.network.width", network.width,
               network.width >= 1 && network.width <= 1024, "1 to 1,024");
  rules.Expect("model.image.network.blocks", network.blocks,
               network.blocks >= 1 && network.blocks <= 100, "1 to 100");
  rules.Expect("model.image.channels", options.channels,
               options.channels >= 0 && options.channels <= 100'000, "0 to 100,000");
  rules.Expect("model.image.hidden", options.hidden,
               options.hidden >= 1 && options.hidden <= 100'000, "1 to 100,000");
  rules.Expect("model.image.hidden", options.hidden, !options.recurrent || options.hidden % 2 == 0,
               "an even number with recurrent");
  rules.ExpectShare("model.image.dropout", options.dropout);
  return rules.status();
}

}  // namespace seq2seq
