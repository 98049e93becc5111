// A model laid out for decoding on the CPU.
#ifndef SEQ2SEQ_MODEL_PACKED_MODEL_H_
#define SEQ2SEQ_MODEL_PACKED_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/data/batch.h"
#include "seq2seq/kernels/decoder_step.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/kernels/recurrent.h"
#include "seq2seq/model/model.h"
#include "seq2seq/model/weights.h"

namespace seq2seq {

// Sources read by the encoder.
struct PackedSources {
  Buffer values, keys;          // Of all sources, a row a place.
  torch::Tensor tensors[2];     // What holds them instead where the model's operations made them.
  std::vector<Source> sources;  // [batch], views of these.
  DecoderRows start;            // [batch], the state before the first step.
};

// The weights of a model, each laid out once as the kernels' products read it, in the precision
// that they compute with. Agrees with the model's own Step in fp32. Embeddings and biases stay
// where the model has them; what is packed is let go. Thread-safe.
class PackedModel {
 public:
  // The first part of such a model that the kernels do not know, as "decoder.attention=mlp"; empty
  // if they know it all.
  static std::string UnknownPart(const ModelOptions& options);

  // `model` is on the CPU, in eval mode; its weights are not changed afterwards. Costs a pass over
  // them.
  PackedModel(Model model, Precision precision);

  // Encodes sources, as CollateSources makes them.
  PackedSources Encode(const Batch& sources) const;

  const PackedDecoder& decoder() const { return decoder_; }
  const PackedOutput& output() const { return output_; }
  const ModelOptions& options() const { return options_; }

  // Of the weights, laid out or where the model has them.
  double bytes() const;

  // The columns `tokens` of the output layer. Costs a pass over their weights.
  PackedOutput Output(absl::Span<const int32_t> tokens) const;

 private:
  PackedSources EncodeText(const Batch& sources) const;
  // Images, and sources that say nothing, by the operations of the model.
  PackedSources EncodePlainly(const Batch& sources) const;
  // The state before the first step, from what the bridge looks at, [batch, size].
  DecoderRows Bridge(ConstMatrix summary) const;

  ModelOptions options_;
  TensorMap parameters_;
  Model model_{nullptr};  // Encodes what is no text; empty where sources are texts.
  Precision precision_;
  std::vector<std::vector<PackedCell>> encoder_;  // One a layer, of both directions.
  PackedMatrix keys_;                             // Empty where the values are the keys.
  PackedMatrix bridge_;
  PackedDecoder decoder_;
  PackedOutput output_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_PACKED_MODEL_H_
