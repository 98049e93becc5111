#include "seq2seq/model/encoder.h"

#include <memory>
#include <utility>

#include "seq2seq/model/image_encoder.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/model/no_encoder.h"
#include "seq2seq/model/recurrent_encoder.h"
#include "seq2seq/model/transformer_encoder.h"

namespace seq2seq {

void EncoderImpl::Initialize(const InitializationOptions& options) {
  seq2seq::Initialize(*this, options);
}

namespace {

std::shared_ptr<EncoderImpl> MakeTextEncoder(const ModelOptions& options,
                                             torch::nn::Embedding embedding) {
  switch (options.encoder.kind) {
    case EncoderKind::kRecurrent:
      return std::make_shared<RecurrentEncoderImpl>(options.source_vocab, options.encoder,
                                                    std::move(embedding),
                                                    BridgeOf(options) == BridgeKind::kLayers);
    case EncoderKind::kTransformer:
      return std::make_shared<TransformerEncoderImpl>(options.source_vocab, options.encoder,
                                                      std::move(embedding));
  }
  return nullptr;  // Not one of the kinds.
}

}  // namespace

Encoder MakeEncoder(const ModelOptions& options, torch::nn::Embedding embedding) {
  std::shared_ptr<EncoderImpl> encoder;
  switch (options.source) {
    case SourceKind::kText:
      encoder = MakeTextEncoder(options, std::move(embedding));
      break;
    case SourceKind::kImage:
      encoder = std::make_shared<ImageEncoderImpl>(options.image);
      break;
    case SourceKind::kNone:
      encoder = std::make_shared<NoEncoderImpl>();
      break;
  }
  return Encoder(encoder);
}

std::string EncoderName(SourceKind source) {
  return source == SourceKind::kImage ? "image_encoder" : "encoder";
}

}  // namespace seq2seq
