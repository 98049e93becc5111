// Attentional recurrent decoder for decoding, on the kernels.
#ifndef SEQ2SEQ_INFERENCE_RECURRENT_DECODER_H_
#define SEQ2SEQ_INFERENCE_RECURRENT_DECODER_H_

#include <memory>

#include "seq2seq/inference/decoder.h"
#include "seq2seq/inference/model_arrays.h"
#include "seq2seq/inference/recurrent_step_decoder.h"

namespace seq2seq {

// Bridge and recurrent decoder of a model. Agrees with RecurrentDecoderImpl in eval
// mode.
class RecurrentInferenceDecoder : public InferenceDecoder {
 public:
  // Packs the weights, which are then removed from `arrays`; shares the others.
  RecurrentInferenceDecoder(const ModelOptions& options, DecoderArrays& arrays,
                            Precision precision);

  std::unique_ptr<StepDecoder> Begin(const EncoderOutput& sources,
                                     const PackedOutput& output) const override;
  double packed_bytes() const override;

 private:
  // The initial states, a row per sentence.
  DecoderRows Bridge(const EncoderOutput& sources) const;
  // Sets the hidden and cell states from a summary of the sources, [batch, size].
  void DenseBridge(ConstMatrix summary, DecoderRows& start) const;

  const BridgeKind bridge_kind_;
  const PackedMatrix bridge_;  // Empty for the bridges copy and zero.
  const PackedDecoder decoder_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_RECURRENT_DECODER_H_
