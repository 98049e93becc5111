// Inference form of a model: weights packed for decoding on the CPU.
#ifndef SEQ2SEQ_INFERENCE_INFERENCE_MODEL_H_
#define SEQ2SEQ_INFERENCE_INFERENCE_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/data/batch.h"
#include "seq2seq/kernels/decoder_step.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/kernels/recurrent.h"
#include "seq2seq/model/model.h"
#include "seq2seq/weights/safetensors.h"

namespace seq2seq {

// Encoded sources.
struct EncodedSources {
  Buffer values, keys;                   // Of all sources, one row per source position.
  torch::Tensor tensors[2];              // Hold them instead where EncodePlainly computed them.
  std::vector<AttentionMemory> sources;  // [batch], views of these values and keys.
  DecoderRows start;                     // [batch], the initial decoder state.
};

// The weights of a model, each packed once in the layout and precision of the kernels' products.
// Agrees with the model's own Step in fp32. Embeddings and biases stay in the model's tensors;
// tensors that have been packed are released. Thread-safe.
class InferenceModel {
 public:
  // The first part of such a model that the kernels do not support, as "decoder.attention=mlp";
  // empty if they support all.
  static std::string UnknownPart(const ModelOptions& options);

  // `model` must be on the CPU, in eval mode; its weights must not change afterwards. Costs a pass
  // over them.
  InferenceModel(Model model, Precision precision);

  // Encodes sources collated by CollateSources.
  EncodedSources Encode(const Batch& sources) const;

  const PackedDecoder& decoder() const { return decoder_; }
  const PackedOutput& output() const { return output_; }
  const ModelOptions& options() const { return options_; }

  // Bytes of the weights, packed or not.
  double bytes() const;

  // The output layer for `tokens` alone (a lexical shortlist). Costs a pass over their weights.
  PackedOutput Output(absl::Span<const int32_t> tokens) const;

 private:
  EncodedSources EncodeText(const Batch& sources) const;
  // Encodes images, and empty sources of a language model, by the model's LibTorch operations.
  EncodedSources EncodePlainly(const Batch& sources) const;
  // The initial decoder state, from the bridge's input, [batch, size].
  DecoderRows Bridge(ConstMatrix summary) const;

  ModelOptions options_;
  TensorMap parameters_;
  Model model_{nullptr};  // Encodes sources that are not text; else empty.
  Precision precision_;
  std::vector<std::vector<PackedCell>> encoder_;  // One per layer, with a cell per direction.
  PackedMatrix keys_;                             // Empty where the values are the keys.
  PackedMatrix bridge_;
  PackedDecoder decoder_;
  PackedOutput output_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_INFERENCE_MODEL_H_
