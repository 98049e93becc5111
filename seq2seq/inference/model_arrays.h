// Parameters of models as plain arrays, with the table of their names and shapes.
#ifndef SEQ2SEQ_INFERENCE_MODEL_ARRAYS_H_
#define SEQ2SEQ_INFERENCE_MODEL_ARRAYS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "seq2seq/inference/attention_kind.h"
#include "seq2seq/inference/model_options.h"
#include "seq2seq/inference/named_array.h"
#include "seq2seq/inference/norm_arrays.h"
#include "seq2seq/inference/residual_network_arrays.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {

// Each struct holds the parameters of a network, laid out as in torch.nn; those that a kind of
// network does not have are undefined. ListArrays says which it has. The LibTorch modules register
// the same names and shapes. Networks for decoding are made of parameters in fp32, but for
// embeddings and output weights, which may be of any type and quantised: they are read by rows.

struct CellArrays {
  Array weight_ih, weight_hh, bias_ih, bias_hh;
  Array peephole;                               // peephole, coupled
  Array norm_ih, norm_hh;                       // layer_norm_lstm, layer_norm_gru
  Array norm_cell_state, norm_cell_state_bias;  // layer_norm_lstm
};

struct TransformerAttentionArrays {
  Array in_proj;                           // [3 x size, size], where sizes are equal.
  Array query_proj, key_proj, value_proj;  // [size, size], [size, memory], else.
  Array in_proj_bias;                      // [3 x size]
  Array out_proj, out_proj_bias;
};

struct TransformerLayerArrays {
  TransformerAttentionArrays self_attention;   // Undefined for ssru.
  Array ssru, ssru_bias;                       // Of ssru alone: [2 x size, size], [size].
  TransformerAttentionArrays cross_attention;  // Of decoders with a source.
  Array linear1, linear1_bias, linear2, linear2_bias;
  Array gate, gate_bias;  // With gated.
  // Of self-attention or its place, attention to the source, and the feed-forward network.
  NormArrays self_norm, cross_norm, feed_forward_norm;
};

struct TransformerArrays {
  Array positions;  // Learned, [max_positions, hidden].
  std::vector<TransformerLayerArrays> layers;
  NormArrays norm;  // With norm pre.
};

struct EncoderArrays {
  Array embedding;  // Undefined if it is the decoder's.
  TransformerArrays transformer;
  struct Layer {
    CellArrays forward;
    CellArrays backward;  // Of bidirectional layers.
  };
  std::vector<Layer> layers;
};

struct ImageEncoderArrays {
  ResidualNetworkArrays network;  // Empty for the other networks, which have no parameters here.
  NormArrays norm;
  Array projection, projection_bias;
  CellArrays forward, backward;  // With recurrent.
};

struct DecoderArrays {
  Array embedding;
  TransformerArrays transformer;  // transformer, ssru
  std::vector<CellArrays> cells;  // Of a recurrent decoder, as those that follow; one per layer.
  CellArrays context_cell;        // With conditional.
  AttentionArrays attention;
  Array gate, gate_bias;      // With context_gate.
  Array attentional;          // The attentional state's W, [attentional, context + hidden].
  Array bridge, bridge_bias;  // For the bridges dense and mean.
  Array dense, dense_bias;    // head
  NormArrays norm;            // head
  Array output_weight;        // Undefined if tied to the embedding.
  Array output_bias;
  Array copy_gate, copy_gate_bias;  // With copy: [1, output], [1].
};

// The parameters of a model. Those of a TorchScript network are not among them.
struct ModelArrays {
  EncoderArrays encoder;             // Empty unless sources are text.
  ImageEncoderArrays image_encoder;  // Empty unless sources are images.
  DecoderArrays decoder;
};

// The table: all parameters of a model of `options`, stored in `arrays`, which must outlive it.
std::vector<NamedArray> ListArrays(const ModelOptions& options, ModelArrays& arrays);

// The parameters of a model of `options` from arrays by name. InvalidArgument, naming `path` and
// the array, if one is missing, left over, or of another shape.
absl::StatusOr<ModelArrays> TakeArrays(const ModelOptions& options, ArrayMap from,
                                       const std::string& path);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_MODEL_ARRAYS_H_
