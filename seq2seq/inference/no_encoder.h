// Encoder for decoding without source, as language models do.
#ifndef SEQ2SEQ_INFERENCE_NO_ENCODER_H_
#define SEQ2SEQ_INFERENCE_NO_ENCODER_H_

#include "absl/types/span.h"

#include "seq2seq/inference/encoder.h"
#include "seq2seq/source/source.h"

namespace seq2seq {

// The encoder of a model without source: one position of no values per sentence.
class NoInferenceEncoder : public InferenceEncoder {
 public:
  EncoderOutput Encode(absl::Span<const SourceInput* const> sources) const override;
  double packed_bytes() const override { return 0; }
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_NO_ENCODER_H_
