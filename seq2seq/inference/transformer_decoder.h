// Transformer decoder for decoding, on the kernels.
#ifndef SEQ2SEQ_INFERENCE_TRANSFORMER_DECODER_H_
#define SEQ2SEQ_INFERENCE_TRANSFORMER_DECODER_H_

#include <memory>
#include <vector>

#include "seq2seq/inference/decoder.h"
#include "seq2seq/inference/model_arrays.h"
#include "seq2seq/inference/transformer_layer.h"

namespace seq2seq {

// A Transformer decoder with packed weights, or its form with recurrent units. Agrees with
// TransformerDecoderImpl in eval mode.
class TransformerInferenceDecoder : public InferenceDecoder {
 public:
  // Packs the weights, which are then removed from `arrays`; shares the others.
  TransformerInferenceDecoder(const ModelOptions& options, DecoderArrays& arrays,
                              Precision precision);

  // Projects keys and values of the sources, once for all time steps.
  std::unique_ptr<StepDecoder> Begin(const EncoderOutput& sources,
                                     const PackedOutput& output) const override;
  double packed_bytes() const override;

  const DecoderOptions& options() const { return options_; }
  bool has_attention() const { return has_attention_; }
  const Array& embedding() const { return embedding_; }
  const std::vector<PackedTransformerLayer>& layers() const { return layers_; }
  const TransformerArrays& arrays() const { return arrays_; }  // Those that are not packed.

 private:
  const DecoderOptions options_;
  const bool has_attention_;
  const Array embedding_;
  const std::vector<PackedTransformerLayer> layers_;
  const TransformerArrays arrays_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_TRANSFORMER_DECODER_H_
