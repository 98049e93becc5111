// Transformer encoder for decoding, on the kernels.
#ifndef SEQ2SEQ_INFERENCE_TRANSFORMER_ENCODER_H_
#define SEQ2SEQ_INFERENCE_TRANSFORMER_ENCODER_H_

#include <vector>

#include "seq2seq/inference/encoder.h"
#include "seq2seq/inference/model_arrays.h"
#include "seq2seq/inference/transformer_layer.h"

namespace seq2seq {

// Stacked layers of self-attention over subwords. Agrees with TransformerEncoderImpl in eval mode.
class TransformerInferenceEncoder : public InferenceEncoder {
 public:
  // Packs the weights, which are then removed from `arrays`; shares the others. `embedding`,
  // [vocab, hidden], of the source.
  TransformerInferenceEncoder(const EncoderOptions& options, Array embedding,
                              TransformerArrays& arrays, Precision precision);

  EncoderOutput Encode(absl::Span<const SourceInput* const> sources) const override;
  double packed_bytes() const override;

 private:
  // The embeddings with positions of the subwords and the end of each sentence.
  void Embed(absl::Span<const SourceInput* const> sources, const EncoderOutput& output) const;
  const EncoderOptions options_;
  const Array embedding_;
  const std::vector<PackedTransformerLayer> layers_;
  const TransformerArrays arrays_;  // Those that are not packed.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_TRANSFORMER_ENCODER_H_
