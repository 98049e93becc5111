// Recurrent encoder for decoding, on the kernels.
#ifndef SEQ2SEQ_INFERENCE_RECURRENT_ENCODER_H_
#define SEQ2SEQ_INFERENCE_RECURRENT_ENCODER_H_

#include <vector>

#include "seq2seq/inference/encoder.h"
#include "seq2seq/inference/model_arrays.h"
#include "seq2seq/kernels/recurrent.h"

namespace seq2seq {

// Stacked recurrent layers over subwords. Agrees with RecurrentEncoderImpl in eval mode.
class RecurrentInferenceEncoder : public InferenceEncoder {
 public:
  // Packs the weights, which are then removed from `arrays`; shares the others. `embedding`,
  // [vocab, embedding], of the source. The output has the states of all layers if `with_layers`.
  RecurrentInferenceEncoder(const EncoderOptions& options, Array embedding, EncoderArrays& arrays,
                            Precision precision, bool with_layers);

  EncoderOutput Encode(absl::Span<const SourceInput* const> sources) const override;
  double packed_bytes() const override;

 private:
  // The embeddings of the subwords and the end of each sentence, in the order of `steps`.
  Buffer Embed(absl::Span<const SourceInput* const> sources, const PackedSequence& steps) const;
  // The output of the last layer, likewise, of each direction. Adds the final states to `output`.
  Buffer RunLayers(Buffer states, const PackedSequence& steps, EncoderOutput& output) const;
  // The output of layer `number` from that of its directions.
  Buffer Merge(const Buffer& outputs, size_t number) const;
  // The outputs of the directions of a layer, [row, hidden], side by side in `outputs`.
  std::vector<ConstMatrix> DirectionsOf(ConstMatrix outputs) const;
  // The final states of layer `number`, [batch, size], from those of its directions, [row, hidden]:
  // those of the last row of each sentence from the left, and of the first from the right. Reads
  // the lengths of `output`.
  Buffer FinalOf(absl::Span<const ConstMatrix> directions, const PackedSequence& steps,
                 const EncoderOutput& output, size_t number) const;

  const EncoderOptions options_;
  const bool with_layers_;
  const Array embedding_;
  std::vector<EncoderArrays::Layer> biases_;     // What the cells point to.
  std::vector<std::vector<PackedCell>> layers_;  // With a cell per direction.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_RECURRENT_ENCODER_H_
