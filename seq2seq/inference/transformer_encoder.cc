#include "seq2seq/inference/transformer_encoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "seq2seq/kernels/attention.h"
#include "seq2seq/kernels/parallel.h"

namespace seq2seq {

TransformerInferenceEncoder::TransformerInferenceEncoder(const EncoderOptions& options,
                                                         Array embedding, TransformerArrays& arrays,
                                                         Precision precision)
    : options_(options),
      embedding_(std::move(embedding)),
      layers_(PackLayers(options.hidden, arrays, precision)),
      arrays_(arrays) {}

double TransformerInferenceEncoder::packed_bytes() const {
  int64_t bytes = 0;
  for (const PackedTransformerLayer& layer : layers_) bytes += layer.packed_bytes();
  return static_cast<double>(bytes);
}

void TransformerInferenceEncoder::Embed(absl::Span<const SourceInput* const> sources,
                                        const EncoderOutput& output) const {
  int64_t longest = 0;
  for (int64_t s = 0; s < output.batch(); ++s) longest = std::max(longest, output.length(s));
  const PositionAdder positions(options_.transformer, arrays_.positions, options_.hidden, 0,
                                longest);
  for (int64_t s = 0; s < output.batch(); ++s) {
    const std::vector<int32_t>& ids = sources[static_cast<size_t>(s)]->ids;
    const Matrix rows = output.Of(s, output.values);
    for (int64_t i = 0; i < rows.rows; ++i) {
      const auto position = static_cast<size_t>(i);
      CopyRow(embedding_, position < ids.size() ? ids[position] : kEosId, rows.row(i));
      positions.Add(i, rows.Rows(i, 1));
    }
  }
}

void TransformerInferenceEncoder::Attend(const EncoderOutput& output, const Rotation& rotation,
                                         Matrix projected, Matrix contexts) const {
  const int64_t size = options_.hidden, heads = options_.transformer.heads, head = size / heads;
  const float scale = 1 / std::sqrt(static_cast<float>(head));
  ParallelFor(output.batch(), [&](int64_t s) {
    const int64_t begin = output.begins[static_cast<size_t>(s)], length = output.length(s);
    const Matrix rows = projected.Rows(begin, length);
    for (int64_t i = 0; i < length; ++i) {
      rotation.Turn(i, rows.row(i));
      rotation.Turn(i, rows.row(i) + size);
    }
    Scale(rows.Columns(0, size), scale);
    std::vector<float> weights(static_cast<size_t>(length));
    for (int64_t h = 0; h < heads; ++h) {
      const AttentionMemory memory = {rows.Columns(size + h * head, head),
                                      rows.Columns(2 * size + h * head, head)};
      for (int64_t i = 0; i < length; ++i) {
        seq2seq::Attend(memory, rows.row(i) + h * head, weights.data(),
                        contexts.row(begin + i) + h * head);
      }
    }
  });
}

EncoderOutput TransformerInferenceEncoder::Encode(
    absl::Span<const SourceInput* const> sources) const {
  const int64_t size = options_.hidden;
  EncoderOutput output;
  output.begins = {0};
  int64_t longest = 0;
  for (const SourceInput* source : sources) {
    const auto length = static_cast<int64_t>(source->ids.size()) + 1;  // With the end.
    longest = std::max(longest, length);
    output.begins.push_back(output.begins.back() + length);
  }
  output.values = EncoderOutput::Rows(output.begins.back(), size);
  Embed(sources, output);

  const Matrix values = output.values.view();
  const TransformerBuffers buffers(options_.transformer, size, values.rows);
  const Buffer projected(values.rows, 3 * size), contexts(values.rows, size);
  Clear(contexts.view());
  const Rotation rotation(options_.transformer, size, 0, longest);
  for (const PackedTransformerLayer& layer : layers_) {
    const TransformerAttentionArrays& attention = layer.arrays.self_attention;
    Residual(options_.transformer.norm, layer.arrays.self_norm, buffers, values,
             [&](ConstMatrix input, Matrix result) {
               Multiply(input, layer.self, projected.view(),
                        attention.in_proj_bias.values<float>());
               Attend(output, rotation, projected.view(), contexts.view());
               Multiply(contexts.view(), layer.self_output, result,
                        attention.out_proj_bias.values<float>());
             });
    FeedForward(options_.transformer, layer, buffers, values);
  }
  NormalizeLast(options_.transformer, arrays_.norm, values);
  Clear(Rest(values, output.begins.back()));
  output.summary = output.Means();
  return output;
}

}  // namespace seq2seq
