// Attentional recurrent decoder for decoding, on the kernels.
#ifndef SEQ2SEQ_INFERENCE_RECURRENT_DECODER_H_
#define SEQ2SEQ_INFERENCE_RECURRENT_DECODER_H_

#include <memory>
#include <vector>

#include "seq2seq/inference/decoder.h"
#include "seq2seq/inference/model_arrays.h"

namespace seq2seq {

// Bridge, attention keys and recurrent decoder of a model. Agrees with RecurrentDecoderImpl in eval
// mode.
class RecurrentInferenceDecoder : public InferenceDecoder {
 public:
  // HasKernel(options.decoder) must hold. Packs the weights, which are then removed from `arrays`;
  // shares the others.
  RecurrentInferenceDecoder(const ModelOptions& options, RecurrentDecoderArrays& arrays,
                            Precision precision);

  std::unique_ptr<StepDecoder> Begin(const EncoderOutput& sources,
                                     const PackedOutput& output) const override;
  double packed_bytes() const override;

 private:
  // What attention compares with its queries, a row per position.
  Buffer Keys(const EncoderOutput& sources) const;
  // The initial states, a row per sentence.
  DecoderRows Bridge(const EncoderOutput& sources) const;
  DecoderRows DenseBridge(ConstMatrix summary) const;

  const AttentionKind attention_;
  const BridgeKind bridge_kind_;
  PackedMatrix keys_;    // Empty where the values are the keys.
  PackedMatrix bridge_;  // Empty for the bridges copy and zero.
  const PackedDecoder decoder_;
  const RecurrentDecoderArrays shared_;  // What the decoder points to.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_RECURRENT_DECODER_H_
