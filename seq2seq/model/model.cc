#include "seq2seq/model/model.h"

#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/status_macros.h"
#include "seq2seq/model/dropout.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

namespace {

// The memory of sources that say nothing: one place each, of no size.
Encoded NoSource(int64_t batch, const torch::TensorOptions& options) {
  return {torch::zeros({batch, 1, 0}, options),
          torch::ones({batch, 1}, options.dtype(torch::kBool)), torch::zeros({batch, 0}, options)};
}

// `tokens` with this share of their words made unknown; what begins, ends and pads a sentence
// stays.
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
  const std::pair<const char*, int64_t> sizes[] = {
      {"model.source_vocab", text ? options.source_vocab : 1},
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
      {"model.encoder.embedding_dropout",
       DropoutOf(options.encoder.embedding_dropout, options.encoder.dropout)},
      {"model.decoder.embedding_dropout",
       DropoutOf(options.decoder.embedding_dropout, options.decoder.dropout)},
      {"model.decoder.output_dropout",
       DropoutOf(options.decoder.output_dropout, options.decoder.dropout)},
      {"model.encoder.recurrent_dropout", options.encoder.recurrent_dropout},
      {"model.decoder.recurrent_dropout", options.decoder.recurrent_dropout},
      {"model.decoder.attention_dropout", options.decoder.attention_dropout},
      {"model.encoder.word_dropout", options.encoder.word_dropout},
      {"model.decoder.word_dropout", options.decoder.word_dropout},
  };
  for (const auto& [key, dropout] : dropouts) {
    if (!(dropout >= 0.0 && dropout < 1.0)) {
      return absl::InvalidArgumentError(
          absl::StrCat(key, ": expected 0 or more and less than 1, found ", dropout));
    }
  }
  const std::tuple<const char*, CellKind, double> gated[] = {
      {"model.encoder.recurrent_dropout", options.encoder.cell, options.encoder.recurrent_dropout},
      {"model.decoder.recurrent_dropout", options.decoder.cell, options.decoder.recurrent_dropout},
  };
  for (const auto& [key, cell, dropout] : gated) {
    if (dropout > 0 && (cell == CellKind::kRnnTanh || cell == CellKind::kRnnRelu)) {
      return absl::InvalidArgumentError(
          absl::StrCat(key, ": expected 0 for cells without gates, found ", dropout));
    }
  }
  if (!(options.decoder.doubly_stochastic >= 0 && options.decoder.doubly_stochastic <= 1000)) {
    return absl::InvalidArgumentError(
        absl::StrCat("model.decoder.doubly_stochastic: expected 0 to 1,000, found ",
                     options.decoder.doubly_stochastic));
  }
  const AttentionKind attention = options.decoder.attention;
  const std::string name = EnumTexts(attention)[static_cast<size_t>(attention)];
  if (alone && attention != AttentionKind::kNone) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model.decoder.attention: expected none where model.source is none, found ", name));
  }
  // What compares, or copies, needs sizes that agree.
  const int64_t encoded = image ? options.image.hidden : OutputSize(options.encoder);
  const std::pair<std::string, bool> binding[] = {
      {"model.decoder.attention: " + name,
       attention == AttentionKind::kDot || attention == AttentionKind::kScaledDot},
      {"model.bridge: copy", !alone && options.bridge == BridgeKind::kCopy},
  };
  for (const auto& [what, binds] : binding) {
    if (!binds || options.decoder.hidden == encoded) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        what, " needs model.decoder.hidden to be ", encoded, ", which is ",
        image ? "model.image.hidden" : "model.encoder.hidden in each direction of the last layer",
        "; found ", options.decoder.hidden));
  }
  if (attention == AttentionKind::kNone) {
    const std::pair<const char*, bool> blind[] = {
        {"model.bridge: zero", !alone && options.bridge == BridgeKind::kZero},
        {"model.decoder.context_gate: true", options.decoder.context_gate},
        {"model.decoder.doubly_stochastic: more than 0", options.decoder.doubly_stochastic > 0},
    };
    for (const auto& [what, wanted] : blind) {
      if (!wanted) continue;
      return absl::InvalidArgumentError(
          absl::StrCat(what,
                       " needs a decoder that looks at the source; found "
                       "model.decoder.attention none"));
    }
  }
  if (attention == AttentionKind::kMultiHead &&
      (options.decoder.attention_heads < 1 ||
       options.decoder.hidden % options.decoder.attention_heads != 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("model.decoder.attention_heads: expected a divisor of model.decoder.hidden, ",
                     options.decoder.hidden, ", found ", options.decoder.attention_heads));
  }
  if (options.shared_embeddings) {
    if (!text) {
      return absl::InvalidArgumentError(
          "model.shared_embeddings: expected false unless model.source is text, found true");
    }
    if (options.source_vocab != options.target_vocab ||
        options.encoder.embedding != options.decoder.embedding) {
      return absl::InvalidArgumentError(absl::StrCat(
          "model.shared_embeddings: needs equal vocabularies and embeddings of both sides, found ",
          options.source_vocab, " x ", options.encoder.embedding, " and ", options.target_vocab,
          " x ", options.decoder.embedding));
    }
  }
  return Validate(options.initialization);
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
  bridge_ = register_module("bridge", Bridge(text || image ? options.bridge : BridgeKind::kZero,
                                             memory, options.decoder, decoder_->readout_size()));
  if (image) image_encoder_->Initialize(options.initialization);
  if (text) Initialize(*encoder_, options.initialization);
  Initialize(*decoder_, options.initialization);
  Initialize(*bridge_, options.initialization);
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
  const torch::Tensor fed = is_training()
                                ? DropWords(batch.target_input, options_.decoder.word_dropout)
                                : batch.target_input;
  return decoder_(fed, batch.target_lengths, start.memory, start.state, forcing);
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
