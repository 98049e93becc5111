// Inference form of a model: weights laid out once for decoding on the CPU.
#ifndef SEQ2SEQ_INFERENCE_INFERENCE_MODEL_H_
#define SEQ2SEQ_INFERENCE_INFERENCE_MODEL_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/inference/decoder.h"
#include "seq2seq/inference/encoder.h"
#include "seq2seq/inference/model_arrays.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/kernels/product.h"

namespace seq2seq {

// Encoder, decoder and output layer. Agrees with the LibTorch module, in fp32 up to rounding.
// Thread-safe.
class InferenceModel {
 public:
  // UnsupportedPart(options) must be empty. Packs the weights in `precision` and drops the arrays
  // that are used in packed form alone; costs a pass over them. Throws std::runtime_error, naming
  // the file, if an image network cannot be loaded.
  InferenceModel(const ModelOptions& options, ModelArrays arrays, Precision precision);

  const ModelOptions& options() const { return options_; }
  const InferenceEncoder& encoder() const { return *encoder_; }
  const InferenceDecoder& decoder() const { return *decoder_; }

  // The output layer for all target subwords; or for `tokens` alone (a lexical shortlist), at the
  // cost of a pass over their weights.
  const PackedOutput& output() const { return output_; }
  PackedOutput Output(absl::Span<const int32_t> tokens) const;

  // Bytes of the weights, packed or not.
  double bytes() const { return bytes_; }

 private:
  const ModelOptions options_;
  const Precision precision_;
  ModelArrays arrays_;  // Those that are not packed.
  Array output_weight_;
  std::unique_ptr<InferenceEncoder> encoder_;
  std::unique_ptr<InferenceDecoder> decoder_;
  PackedOutput output_;
  double bytes_ = 0;
};

// Loads a model whose UnsupportedPart is empty: maps its weights, checks and packs them. Errors
// name the file and the tensor.
absl::StatusOr<std::shared_ptr<const InferenceModel>> LoadInferenceModel(const StoredModel& stored,
                                                                         Precision precision);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_INFERENCE_MODEL_H_
