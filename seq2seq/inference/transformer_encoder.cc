#include "seq2seq/inference/transformer_encoder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "seq2seq/kernels/multi_head_attention.h"
#include "seq2seq/kernels/rotary.h"
#include "seq2seq/kernels/sequence_rows.h"

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

EncoderOutput TransformerInferenceEncoder::Encode(
    absl::Span<const SourceInput* const> sources) const {
  const int64_t size = options_.hidden;
  std::vector<int64_t> lengths;  // With the end.
  EncoderOutput output;
  output.begins = {0};
  for (const SourceInput* source : sources) {
    lengths.push_back(static_cast<int64_t>(source->ids.size()) + 1);
    output.begins.push_back(output.begins.back() + lengths.back());
  }
  const SequenceRows rows(lengths);
  output.values = EncoderOutput::Rows(output.begins.back(), size);
  Embed(sources, output);

  const Matrix values = output.values.view();
  const TransformerBuffers buffers(options_.transformer, size, values.rows);
  const Buffer projected(values.rows, 3 * size), contexts(values.rows, size);
  const Matrix qkv = projected.view();
  std::optional<RotaryTable> rotary;
  if (options_.transformer.positions == PositionKind::kRotary)
    rotary.emplace(size / options_.transformer.heads,
                   *std::max_element(lengths.begin(), lengths.end()));
  for (const PackedTransformerLayer& layer : layers_) {
    const TransformerAttentionArrays& attention = layer.arrays.self_attention;
    Residual(options_.transformer.norm, layer.arrays.self_norm, buffers, values,
             [&](ConstMatrix input, Matrix result) {
               Multiply(input, layer.self, qkv, layer.self_bias.view().data);
               const Matrix turned = qkv.Columns(0, 2 * size);
               if (rotary) Rotate(*rotary, rows, /*inverse=*/false, turned, turned);
               MultiHeadAttention(
                   rows, rows,
                   {qkv.Columns(0, size), qkv.Columns(size, size), qkv.Columns(2 * size, size)},
                   {.heads = options_.transformer.heads}, contexts.view(),
                   /*log_sums=*/{});
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
