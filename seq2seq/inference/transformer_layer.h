// Layers of Transformers for decoding: what encoders and decoders compute row by row.
#ifndef SEQ2SEQ_INFERENCE_TRANSFORMER_LAYER_H_
#define SEQ2SEQ_INFERENCE_TRANSFORMER_LAYER_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"

#include "seq2seq/inference/model_arrays.h"
#include "seq2seq/inference/transformer_options.h"
#include "seq2seq/kernels/product.h"

namespace seq2seq {

// A layer with packed weights.
struct PackedTransformerLayer {
  // For rows of `size` values. Packs the weights, which are then removed from `arrays`; shares the
  // others.
  PackedTransformerLayer(int64_t size, TransformerLayerArrays& arrays, Precision precision);

  int64_t packed_bytes() const;

  // Of self-attention: queries, keys and values, [size, 3 x size]. Of ssru: [size, 2 x size].
  const PackedMatrix self;
  const Buffer self_bias;
  const PackedMatrix self_output;
  // Of attention to the source: [size, size], and keys and values, [memory, 2 x size].
  const PackedMatrix queries;
  const PackedMatrix memory;
  const PackedMatrix cross_output;
  const PackedMatrix linear1, gate, linear2;  // `gate` only of gated networks.
  const TransformerLayerArrays arrays;        // Those that are not packed.
};

std::vector<PackedTransformerLayer> PackLayers(int64_t size, TransformerArrays& arrays,
                                               Precision precision);

// Rows that the sub-layers of a layer share: [row, …] each.
struct TransformerBuffers {
  TransformerBuffers() = default;
  TransformerBuffers(const TransformerOptions& options, int64_t size, int64_t rows);

  // The rows from `begin` on.
  TransformerBuffers Rows(int64_t begin, int64_t count) const;

  Matrix normal;  // [row, size], the input of a sub-layer.
  Matrix output;  // [row, size], its output.
  Matrix hidden;  // [row, feed_forward]
  Matrix gate;    // Likewise; of gated networks.

 private:
  std::vector<Buffer> storage_;
};

// The residual connection around a sub-layer, whose input are rows `values`, [row, size], which
// become its output: run(input, output) computes the sub-layer. Uses all threads, or one when
// called from within ParallelFor.
void Residual(NormPlacement placement, const NormArrays& norm, const TransformerBuffers& buffers,
              Matrix values, absl::FunctionRef<void(ConstMatrix input, Matrix output)> run);

// The feed-forward network, with its residual connection.
void FeedForward(const TransformerOptions& options, const PackedTransformerLayer& layer,
                 const TransformerBuffers& buffers, Matrix values);

// The layer normalisation after the last layer, where there is one.
void NormalizeLast(const TransformerOptions& options, const NormArrays& norm, Matrix values);

// Makes embeddings the input of the first layer: times sqrt(size), and with their positions added,
// unless those are rotary.
class PositionAdder {
 public:
  // For the `count` positions from `first` on. `learned`, [max_positions, size], must outlive it.
  PositionAdder(const TransformerOptions& options, const Array& learned, int64_t size,
                int64_t first, int64_t count);

  // `row`, [1, size], is the embedding of a token at `position`.
  void Add(int64_t position, Matrix row) const;

 private:
  const int64_t first_;
  Buffer sinusoids_;  // [count, size]
  Matrix learned_;    // [max_positions, size]
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_TRANSFORMER_LAYER_H_
