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

struct RecurrentEncoderArrays {
  Array embedding;  // Undefined if it is the decoder's.
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

struct RecurrentDecoderArrays {
  Array embedding;
  std::vector<CellArrays> cells;  // One per layer.
  AttentionArrays attention;
  Array gate, gate_bias;      // With context_gate.
  Array attentional;          // The attentional state's W, [attentional, context + hidden].
  Array bridge, bridge_bias;  // For the bridges dense and mean.
  Array output_weight;        // Undefined if tied to the embedding.
  Array output_bias;
};

// The parameters of a model. Those of a TorchScript network are not among them.
struct ModelArrays {
  RecurrentEncoderArrays encoder;    // Empty unless sources are text.
  ImageEncoderArrays image_encoder;  // Empty unless sources are images.
  RecurrentDecoderArrays decoder;
};

// The table: all parameters of a model of `options`, stored in `arrays`, which must outlive it.
std::vector<NamedArray> ListArrays(const ModelOptions& options, ModelArrays& arrays);

// The parameters of a model of `options` from arrays by name. InvalidArgument, naming `path` and
// the array, if one is missing, left over, or of another shape.
absl::StatusOr<ModelArrays> TakeArrays(const ModelOptions& options, ArrayMap from,
                                       const std::string& path);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_MODEL_ARRAYS_H_
