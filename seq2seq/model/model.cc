#include "seq2seq/model/model.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/status_macros.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

namespace {

// Encoder output of a model without source: one zero-width position per sentence.
Encoded NoSource(int64_t batch, const torch::TensorOptions& options) {
  return {torch::zeros({batch, 1, 0}, options),
          torch::ones({batch, 1}, options.dtype(torch::kBool)), torch::zeros({batch, 0}, options)};
}

// Word dropout: `tokens` with the share `share` of them replaced by the unknown token; bos, eos and
// padding stay.
torch::Tensor DropWords(const torch::Tensor& tokens, double share) {
  if (share == 0) return tokens;
  const torch::Tensor dropped =
      torch::rand(tokens.sizes(), tokens.device()).lt(share).logical_and(tokens.gt(kEosId));
  return tokens.masked_fill(dropped, kUnknownId);
}

}  // namespace

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
  rules.Expect("model.bridge", "zero", !blind || alone || options.bridge != BridgeKind::kZero,
               "dense, mean or copy where model.decoder.attention is none");

  // Dot-product attention and the bridge copy need equal sizes.
  const int64_t encoded = image ? options.image.hidden : OutputSize(options.encoder);
  const std::pair<std::string, bool> binding[] = {
      {"model.decoder.attention: " + name,
       attention == AttentionKind::kDot || attention == AttentionKind::kScaledDot},
      {"model.bridge: copy", !alone && options.bridge == BridgeKind::kCopy},
  };
  for (const auto& [what, binds] : binding) {
    if (!rules.status().ok() || !binds || options.decoder.hidden == encoded) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        what, " needs model.decoder.hidden to be ", encoded, ", which is ",
        image ? "model.image.hidden" : "model.encoder.hidden in each direction of the last layer",
        "; found ", options.decoder.hidden));
  }
  const bool shared = options.shared_embeddings;
  rules.Expect("model.shared_embeddings", "true", !shared || text,
               "false unless model.source is text");
  rules.Expect("model.shared_embeddings",
               absl::StrCat(options.source_vocab, " x ", options.encoder.embedding, " and ",
                            options.target_vocab, " x ", options.decoder.embedding),
               !shared || (options.source_vocab == options.target_vocab &&
                           options.encoder.embedding == options.decoder.embedding),
               "vocabularies and embeddings of equal sizes on both sides");
  return rules.status();
}

ModelImpl::ModelImpl(const ModelOptions& options) : options_(options) {
  const bool text = options.source == SourceKind::kText;
  const bool image = options.source == SourceKind::kImage;
  torch::nn::Embedding shared = nullptr;
  if (options.shared_embeddings)
    shared = MakeEmbedding(options.target_vocab, options.decoder.embedding);
  int64_t memory = 0;
  if (image) {
    image_encoder_ = register_module("image_encoder", ImageEncoder(options.image));
    memory = image_encoder_->output_size();
  } else if (text) {
    encoder_ =
        register_module("encoder", MakeEncoder(options.source_vocab, options.encoder, shared));
    memory = encoder_->output_size();
  }
  decoder_ =
      register_module("decoder", Decoder(options.target_vocab, memory, options.decoder, shared));
  bridge_ =
      register_module("bridge", Bridge(text || image ? options.bridge : BridgeKind::kZero, memory,
                                       options.decoder, decoder_->attentional_size()));
  if (image) image_encoder_->Initialize(options.initialization);
  if (text) Initialize(*encoder_, options.initialization);
  Initialize(*decoder_, options.initialization);
  Initialize(*bridge_, options.initialization);
}

torch::Tensor ModelImpl::forward(const Batch& batch, const TeacherForcing& forcing) {
  const Decoded decoded = Decode(batch, Begin(batch), forcing);
  return decoder_->Logits(SelectTokens(decoder_->DropOutputs(decoded.attentional_states), batch));
}

Loss ModelImpl::ComputeLoss(const Batch& batch, const TeacherForcing& forcing, double smoothing,
                            double scale) {
  const Start start = Begin(batch);
  const Decoded decoded = Decode(batch, start, forcing);
  Loss loss = decoder_->ComputeLoss(decoded.attentional_states, batch, smoothing, scale);
  if (decoded.attention.defined())
    loss.objective = loss.objective + scale * decoder_->Penalty(decoded, start.memory);
  return loss;
}

Decoded ModelImpl::Decode(const Batch& batch, const Start& start, const TeacherForcing& forcing) {
  const torch::Tensor fed = is_training()
                                ? DropWords(batch.target_input, options_.decoder.word_dropout)
                                : batch.target_input;
  return decoder_(fed, batch.target_lengths, start.memory, start.state, forcing);
}

std::string ModelImpl::DescribePaths() const {
  std::string encoder;
  if (!encoder_.is_empty())
    encoder = encoder_->is_fused() ? "fused encoder, " : "encoder step by step, ";
  return encoder + (is_fused() ? "fused decoder" : "decoder step by step");
}

ModelImpl::Start ModelImpl::Begin(const Batch& batch) {
  const Encoded encoded = Encode(batch);
  return {decoder_->Memorize(encoded), bridge_(encoded)};
}

Encoded ModelImpl::Encode(const Batch& batch) {
  switch (options_.source) {
    case SourceKind::kImage:
      return image_encoder_(batch.images);
    case SourceKind::kNone:
      return NoSource(batch.size(), decoder_->parameters()[0].options().requires_grad(false));
    case SourceKind::kText:
      break;
  }
  const torch::Tensor source =
      is_training() ? DropWords(batch.source, options_.encoder.word_dropout) : batch.source;
  return encoder_(source, batch.source_lengths);
}

}  // namespace seq2seq
