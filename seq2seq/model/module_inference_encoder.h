// Encoder for decoding that runs a LibTorch encoder module.
#ifndef SEQ2SEQ_MODEL_MODULE_INFERENCE_ENCODER_H_
#define SEQ2SEQ_MODEL_MODULE_INFERENCE_ENCODER_H_

#include "seq2seq/inference/encoder.h"
#include "seq2seq/model/encoder.h"

namespace seq2seq {

// For encoders without an inference form, such as those of images.
class ModuleInferenceEncoder : public InferenceEncoder {
 public:
  // `encoder` must be on the CPU, in fp32 and in eval mode, and not change while in use.
  explicit ModuleInferenceEncoder(Encoder encoder);

  EncoderOutput Encode(absl::Span<const SourceInput* const> sources) const override;

  // Of the module's parameters.
  double packed_bytes() const override;

 private:
  const Encoder encoder_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_MODULE_INFERENCE_ENCODER_H_
