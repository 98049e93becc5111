#include "seq2seq/inference/transformer_layer.h"

#include <algorithm>
#include <cmath>

#include "seq2seq/inference/packed_weights.h"
#include "seq2seq/inference/positions.h"
#include "seq2seq/kernels/activation.h"
#include "seq2seq/kernels/normalization.h"
#include "seq2seq/kernels/parallel.h"

namespace seq2seq {
namespace {

PackedMatrix PackSelf(TransformerLayerArrays& arrays, Precision precision) {
  return PackAndDrop(arrays.ssru.defined() ? arrays.ssru : arrays.self_attention.in_proj,
                     precision);
}

PackedMatrix PackQueries(const TransformerAttentionArrays& arrays, int64_t size,
                         Precision precision) {
  if (arrays.in_proj.defined())
    return PackedMatrix::PackTransposed(arrays.in_proj.matrix().Rows(0, size), precision);
  if (!arrays.query_proj.defined()) return {};
  return PackedMatrix::PackTransposed(arrays.query_proj.matrix(), precision);
}

PackedMatrix PackMemory(TransformerAttentionArrays& arrays, int64_t size, Precision precision) {
  if (arrays.in_proj.defined()) {
    PackedMatrix packed =
        PackedMatrix::PackTransposed(arrays.in_proj.matrix().Rows(size, 2 * size), precision);
    arrays.in_proj = Array();
    return packed;
  }
  if (!arrays.key_proj.defined()) return {};
  const ConstMatrix keys = arrays.key_proj.matrix(), values = arrays.value_proj.matrix();
  const Buffer both(2 * size, keys.columns);
  Copy(keys, both.view().Rows(0, size));
  Copy(values, both.view().Rows(size, size));
  arrays.query_proj = arrays.key_proj = arrays.value_proj = Array();
  return PackedMatrix::PackTransposed(both.view(), precision);
}

// Biases of self-attention, or of ssru: none of the input, and those of the forget gate.
Buffer BiasOfSelf(int64_t size, const TransformerLayerArrays& arrays) {
  const bool attention = arrays.self_attention.in_proj_bias.defined();
  const Buffer bias(1, (attention ? 3 : 2) * size);
  if (attention) {
    Copy(arrays.self_attention.in_proj_bias.matrix(), bias.view());
  } else {
    Clear(bias.view().Columns(0, size));
    Copy(arrays.ssru_bias.matrix(), bias.view().Columns(size, size));
  }
  return bias;
}

}  // namespace

PackedTransformerLayer::PackedTransformerLayer(int64_t size, TransformerLayerArrays& arrays,
                                               Precision precision)
    : self(PackSelf(arrays, precision)),
      self_bias(BiasOfSelf(size, arrays)),
      self_output(PackAndDrop(arrays.self_attention.out_proj, precision)),
      queries(PackQueries(arrays.cross_attention, size, precision)),
      memory(PackMemory(arrays.cross_attention, size, precision)),
      cross_output(PackAndDrop(arrays.cross_attention.out_proj, precision)),
      linear1(PackAndDrop(arrays.linear1, precision)),
      gate(PackAndDrop(arrays.gate, precision)),
      linear2(PackAndDrop(arrays.linear2, precision)),
      arrays(arrays) {}

int64_t PackedTransformerLayer::packed_bytes() const {
  int64_t bytes = 0;
  for (const PackedMatrix* weight :
       {&self, &self_output, &queries, &memory, &cross_output, &linear1, &gate, &linear2})
    bytes += weight->bytes();
  return bytes;
}

std::vector<PackedTransformerLayer> PackLayers(int64_t size, TransformerArrays& arrays,
                                               Precision precision) {
  std::vector<PackedTransformerLayer> layers;
  layers.reserve(arrays.layers.size());
  for (TransformerLayerArrays& layer : arrays.layers) layers.emplace_back(size, layer, precision);
  return layers;
}

TransformerBuffers::TransformerBuffers(const TransformerOptions& options, int64_t size,
                                       int64_t rows) {
  const auto make = [&](int64_t columns) {
    return storage_.emplace_back(columns == 0 ? 0 : rows, columns).view();
  };
  normal = make(size);
  output = make(size);
  hidden = make(options.feed_forward);
  gate = make(options.gated ? options.feed_forward : 0);
}

TransformerBuffers TransformerBuffers::Rows(int64_t begin, int64_t count) const {
  TransformerBuffers part = *this;
  for (Matrix* rows : {&part.normal, &part.output, &part.hidden, &part.gate}) {
    if (rows->rows > 0) *rows = rows->Rows(begin, count);
  }
  return part;
}

void Residual(NormPlacement placement, const NormArrays& norm, const TransformerBuffers& buffers,
              Matrix values, absl::FunctionRef<void(ConstMatrix input, Matrix output)> run) {
  constexpr int64_t kGrain = 64;
  const bool before = placement == NormPlacement::kPre;
  if (before) {
    ParallelRanges(values.rows, kGrain, [&](int64_t begin, int64_t end) {
      LayerNorm(values.Rows(begin, end - begin), norm.view(),
                buffers.normal.Rows(begin, end - begin));
    });
  }
  run(before ? buffers.normal : values, buffers.output);
  ParallelRanges(values.rows, kGrain, [&](int64_t begin, int64_t end) {
    const Matrix rows = values.Rows(begin, end - begin);
    Add(buffers.output.Rows(begin, end - begin), rows);
    if (!before) LayerNorm(rows, norm.view(), rows);
  });
}

void FeedForward(const TransformerOptions& options, const PackedTransformerLayer& layer,
                 const TransformerBuffers& buffers, Matrix values) {
  const TransformerLayerArrays& arrays = layer.arrays;
  Residual(options.norm, arrays.feed_forward_norm, buffers, values,
           [&](ConstMatrix input, Matrix output) {
             Multiply(input, layer.linear1, buffers.hidden, arrays.linear1_bias.values<float>());
             if (options.gated) {
               Multiply(input, layer.gate, buffers.gate, arrays.gate_bias.values<float>());
               ActivateGated(options.activation, buffers.gate, buffers.hidden, buffers.hidden);
             } else {
               Activate(options.activation, buffers.hidden, buffers.hidden);
             }
             Multiply(buffers.hidden, layer.linear2, output, arrays.linear2_bias.values<float>());
           });
}

void NormalizeLast(const TransformerOptions& options, const NormArrays& norm, Matrix values) {
  if (options.norm == NormPlacement::kPre) LayerNorm(values, norm.view(), values);
}

PositionAdder::PositionAdder(const TransformerOptions& options, const Array& learned, int64_t size,
                             int64_t first, int64_t count)
    : first_(first) {
  switch (options.positions) {
    case PositionKind::kSinusoidal:
      sinusoids_ = Buffer(count, size);
      SinusoidalPositions(first, sinusoids_.view());
      break;
    case PositionKind::kLearned:
      learned_ = learned.matrix();
      break;
    case PositionKind::kRotary:
      break;
  }
}

void PositionAdder::Add(int64_t position, Matrix row) const {
  Scale(row, std::sqrt(static_cast<float>(row.columns)));
  if (learned_.rows > 0) {
    seq2seq::Add(learned_.Rows(std::min(position, learned_.rows - 1), 1), row);
  } else if (sinusoids_.view().rows > 0) {
    seq2seq::Add(sinusoids_.view().Rows(position - first_, 1), row);
  }
}

}  // namespace seq2seq
