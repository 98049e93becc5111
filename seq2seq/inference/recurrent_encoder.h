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
  // Packs the weights, which are then removed from `arrays`;
  // shares the others. `embedding`, [vocab, embedding], of the source.
  RecurrentInferenceEncoder(const EncoderOptions& options, Array embedding, EncoderArrays& arrays,
                            Precision precision);

  EncoderOutput Encode(absl::Span<const SourceInput* const> sources) const override;
  double packed_bytes() const override;

 private:
  // The embeddings of the subwords and the end of each sentence, in the order of `steps`.
  Buffer Embed(absl::Span<const SourceInput* const> sources, const PackedSequence& steps) const;
  // The output of the last layer, likewise, of each direction.
  Buffer RunLayers(Buffer states, const PackedSequence& steps) const;
  // The output of layer `number` from that of its directions.
  Buffer Merge(const Buffer& outputs, size_t number) const;

  const EncoderOptions options_;
  const Array embedding_;
  std::vector<EncoderArrays::Layer> biases_;     // What the cells point to.
  std::vector<std::vector<PackedCell>> layers_;  // With a cell per direction.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_RECURRENT_ENCODER_H_
