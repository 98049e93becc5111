#include "seq2seq/inference/transformer_decoder.h"

#include "seq2seq/inference/transformer_step_decoder.h"

namespace seq2seq {

TransformerInferenceDecoder::TransformerInferenceDecoder(const ModelOptions& options,
                                                         DecoderArrays& arrays, Precision precision)
    : options_(options.decoder),
      has_attention_(HasAttention(options)),
      embedding_(arrays.embedding),
      layers_(PackLayers(options.decoder.hidden, arrays.transformer, precision)),
      arrays_(arrays.transformer) {}

double TransformerInferenceDecoder::packed_bytes() const {
  int64_t bytes = 0;
  for (const PackedTransformerLayer& layer : layers_) bytes += layer.packed_bytes();
  return static_cast<double>(bytes);
}

std::unique_ptr<StepDecoder> TransformerInferenceDecoder::Begin(const EncoderOutput& sources,
                                                                const PackedOutput& output) const {
  SourceMemory memory;
  memory.begins = sources.begins;
  if (has_attention_) {
    const ConstMatrix values = sources.values.view();
    for (const PackedTransformerLayer& layer : layers_) {
      const Buffer& projected = memory.layers.emplace_back(values.rows, 2 * options_.hidden);
      // The biases of keys and values follow that of the queries.
      Multiply(values, layer.memory, projected.view(),
               layer.arrays.cross_attention.in_proj_bias.values<float>() + options_.hidden);
    }
  }
  return std::make_unique<TransformerStepDecoder>(*this, output, std::move(memory));
}

}  // namespace seq2seq
