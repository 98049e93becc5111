#include "seq2seq/inference/inference_model.h"

#include <exception>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "seq2seq/base/describe_error.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/inference/image_encoder.h"
#include "seq2seq/inference/no_encoder.h"
#include "seq2seq/inference/recurrent_decoder.h"
#include "seq2seq/inference/recurrent_encoder.h"
#include "seq2seq/inference/transformer_decoder.h"
#include "seq2seq/inference/transformer_encoder.h"

namespace seq2seq {
namespace {

// Converts the parameters whose names begin with `prefix` to fp32, just before they are packed, but
// for the tables that are read by rows: the model in fp32 is never in memory as a whole.
void Dequantize(const ModelOptions& options, absl::string_view prefix, ModelArrays& arrays) {
  const std::set<const Array*> tables = {&arrays.encoder.embedding, &arrays.decoder.embedding,
                                         &arrays.decoder.output_weight};
  for (const NamedArray& parameter : ListArrays(options, arrays)) {
    if (absl::StartsWith(parameter.name, prefix) && tables.count(parameter.array) == 0)
      *parameter.array = ToFloat32(*parameter.array);
  }
}

std::unique_ptr<InferenceEncoder> MakeTextEncoder(const ModelOptions& options, ModelArrays& arrays,
                                                  Precision precision) {
  const Array& embedding =
      options.shared_embeddings ? arrays.decoder.embedding : arrays.encoder.embedding;
  switch (options.encoder.kind) {
    case EncoderKind::kRecurrent:
      return std::make_unique<RecurrentInferenceEncoder>(options.encoder, embedding, arrays.encoder,
                                                         precision,
                                                         BridgeOf(options) == BridgeKind::kLayers);
    case EncoderKind::kTransformer:
      return std::make_unique<TransformerInferenceEncoder>(options.encoder, embedding,
                                                           arrays.encoder.transformer, precision);
  }
  return nullptr;  // Not one of the kinds.
}

std::unique_ptr<InferenceEncoder> MakeEncoder(const ModelOptions& options, ModelArrays& arrays,
                                              Precision precision) {
  Dequantize(options, "encoder.", arrays);
  Dequantize(options, "image_encoder.", arrays);
  switch (options.source) {
    case SourceKind::kText:
      return MakeTextEncoder(options, arrays, precision);
    case SourceKind::kNone:
      return std::make_unique<NoInferenceEncoder>();
    case SourceKind::kImage:
      return std::make_unique<ImageInferenceEncoder>(options.image, arrays.image_encoder,
                                                     precision);
  }
  return nullptr;  // Not one of the kinds.
}

std::unique_ptr<InferenceDecoder> MakeDecoder(const ModelOptions& options, ModelArrays& arrays,
                                              Precision precision) {
  Dequantize(options, "decoder.", arrays);
  Dequantize(options, "bridge.", arrays);
  switch (options.decoder.kind) {
    case DecoderKind::kRecurrent:
      return std::make_unique<RecurrentInferenceDecoder>(options, arrays.decoder, precision);
    case DecoderKind::kTransformer:
    case DecoderKind::kSsru:
      return std::make_unique<TransformerInferenceDecoder>(options, arrays.decoder, precision);
    case DecoderKind::kHead:
      break;  // Among UnsupportedPart.
  }
  return nullptr;  // Not one of the kinds.
}

// The output layer; with tied embeddings `weight` is that of the embedding.
PackedOutput PackOutput(const Array& weight, const DecoderArrays& arrays, Precision precision) {
  const Array& bias = arrays.output_bias;
  PackedOutput output = {PackedMatrix::PackTransposed(ToFloat32(weight).matrix(), precision),
                         Buffer(1, bias.size()), arrays.copy_gate, arrays.copy_gate_bias};
  Copy(bias.matrix(), output.bias.view());
  return output;
}

// Bytes of different arrays.
double BytesOf(const ModelOptions& options, ModelArrays& arrays) {
  double bytes = 0;
  std::set<const char*> counted;
  for (const NamedArray& parameter : ListArrays(options, arrays)) {
    const Array& array = *parameter.array;
    if (array.defined() && counted.insert(array.data.get()).second)
      bytes += static_cast<double>(array.bytes());
  }
  return bytes;
}

}  // namespace

InferenceModel::InferenceModel(const ModelOptions& options, ModelArrays arrays, Precision precision)
    : options_(options),
      precision_(precision),
      arrays_(std::move(arrays)),
      output_weight_(options.decoder.tied_embeddings ? arrays_.decoder.embedding
                                                     : arrays_.decoder.output_weight),
      encoder_(MakeEncoder(options_, arrays_, precision)),
      decoder_(MakeDecoder(options_, arrays_, precision)),
      output_(PackOutput(output_weight_, arrays_.decoder, precision)),
      bytes_(BytesOf(options_, arrays_) + encoder_->packed_bytes() + decoder_->packed_bytes() +
             static_cast<double>(output_.weight.bytes())) {}

PackedOutput InferenceModel::Output(absl::Span<const int32_t> tokens) const {
  const ConstMatrix bias = arrays_.decoder.output_bias.matrix();
  const auto count = static_cast<int64_t>(tokens.size());
  const Buffer weights(count, output_weight_.shape.back());
  const Buffer biases(1, count);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t token = tokens[static_cast<size_t>(i)];
    CopyRow(output_weight_, token, weights.view().row(i));
    Copy(bias.Columns(token, 1), biases.view().Columns(i, 1));
  }
  return {PackedMatrix::PackTransposed(weights.view(), precision_), biases,
          arrays_.decoder.copy_gate, arrays_.decoder.copy_gate_bias};
}

absl::StatusOr<std::shared_ptr<const InferenceModel>> LoadInferenceModel(const StoredModel& stored,
                                                                         Precision precision) {
  try {
    SEQ2SEQ_ASSIGN_OR_RETURN(ArrayMap weights, ReadStoredWeights(stored));
    SEQ2SEQ_ASSIGN_OR_RETURN(ModelArrays arrays, TakeArrays(stored.options, std::move(weights),
                                                            stored.step + kWeightsFile));
    return std::make_shared<const InferenceModel>(stored.options, std::move(arrays), precision);
  } catch (const std::exception& error) {  // Out of memory, or an image network.
    return ToStatus(error, absl::StrCat(stored.run.Config(), ": cannot load the model"));
  }
}

}  // namespace seq2seq
