#include "seq2seq/model/model.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/status_macros.h"

namespace seq2seq {

absl::Status Validate(const ModelOptions& options) {
  const bool image = options.source == SourceKind::kImage;
  if (image) SEQ2SEQ_RETURN_IF_ERROR(Validate(options.image));
  const std::pair<const char*, int64_t> sizes[] = {
      {"model.source_vocab", image ? 1 : options.source_vocab},
      {"model.target_vocab", options.target_vocab},
      {"model.encoder.embedding", options.encoder.embedding},
      {"model.encoder.hidden", options.encoder.hidden},
      {"model.encoder.layers", options.encoder.layers},
      {"model.decoder.embedding", options.decoder.embedding},
      {"model.decoder.hidden", options.decoder.hidden},
      {"model.decoder.layers", options.decoder.layers},
  };
  for (const auto& [key, size] : sizes) {
    if (size < 1 || size > 10'000'000) {
      return absl::InvalidArgumentError(
          absl::StrCat(key, ": expected 1 to 10,000,000, found ", size));
    }
  }
  const std::pair<const char*, double> dropouts[] = {
      {"model.encoder.dropout", options.encoder.dropout},
      {"model.decoder.dropout", options.decoder.dropout},
  };
  for (const auto& [key, dropout] : dropouts) {
    if (!(dropout >= 0.0 && dropout < 1.0)) {
      return absl::InvalidArgumentError(
          absl::StrCat(key, ": expected 0 or more and less than 1, found ", dropout));
    }
  }
  if (!(options.decoder.doubly_stochastic >= 0 && options.decoder.doubly_stochastic <= 1000)) {
    return absl::InvalidArgumentError(
        absl::StrCat("model.decoder.doubly_stochastic: expected 0 to 1,000, found ",
                     options.decoder.doubly_stochastic));
  }
  if (options.decoder.attention == AttentionKind::kDot && image &&
      options.decoder.hidden != options.image.hidden) {
    return absl::InvalidArgumentError(
        absl::StrCat("model.decoder.attention: dot needs model.decoder.hidden to be "
                     "model.image.hidden, ",
                     options.image.hidden, "; found ", options.decoder.hidden));
  }
  if (options.decoder.attention == AttentionKind::kDot && !image &&
      options.decoder.hidden != 2 * options.encoder.hidden) {
    return absl::InvalidArgumentError(
        absl::StrCat("model.decoder.attention: dot needs model.decoder.hidden to be ",
                     2 * options.encoder.hidden, ", twice model.encoder.hidden; found ",
                     options.decoder.hidden));
  }
  return absl::OkStatus();
}

ModelImpl::ModelImpl(const ModelOptions& options) : options_(options) {
  if (options.source == SourceKind::kImage) {
    image_encoder_ = register_module("image_encoder", ImageEncoder(options.image));
  } else {
    encoder_ = register_module("encoder", MakeEncoder(options.source_vocab, options.encoder));
  }
  const int64_t memory = memory_size();
  decoder_ = register_module("decoder", Decoder(options.target_vocab, memory, options.decoder));
  bridge_ = register_module("bridge", Bridge(memory, options.decoder, decoder_->readout_size()));
}

int64_t ModelImpl::memory_size() const {
  return encoder_.is_empty() ? image_encoder_->output_size() : encoder_->output_size();
}

torch::Tensor ModelImpl::forward(const Batch& batch, const TeacherForcing& forcing) {
  return decoder_->Logits(SelectTokens(Decode(batch, Begin(batch), forcing).readouts, batch));
}

Loss ModelImpl::ComputeLoss(const Batch& batch, const TeacherForcing& forcing, double smoothing,
                            double scale) {
  const Start start = Begin(batch);
  const Decoded decoded = Decode(batch, start, forcing);
  Loss loss = decoder_->ComputeLoss(decoded.readouts, batch, smoothing, scale);
  if (decoded.attention.defined())
    loss.objective = loss.objective + scale * decoder_->Penalty(decoded, start.memory);
  return loss;
}

Decoded ModelImpl::Decode(const Batch& batch, const Start& start, const TeacherForcing& forcing) {
  return decoder_(batch.target_input, batch.target_lengths, start.memory, start.state, forcing);
}

ModelImpl::Start ModelImpl::Begin(const Batch& batch) {
  const Encoded encoded = encoder_.is_empty() ? image_encoder_(batch.images)
                                              : encoder_(batch.source, batch.source_lengths);
  return {decoder_->Memorize(encoded), bridge_(encoded.final)};
}

}  // namespace seq2seq
