// Options of encoders of text.
#ifndef SEQ2SEQ_INFERENCE_ENCODER_OPTIONS_H_
#define SEQ2SEQ_INFERENCE_ENCODER_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "seq2seq/inference/transformer_options.h"
#include "seq2seq/kernels/gates.h"

namespace seq2seq {

// Which layers are bidirectional: all, none, or the lowest alone, under unidirectional layers (Wu
// et al. 2016).
enum class Directions { kBidirectional, kUnidirectional, kLowest };

inline std::vector<std::string> EnumTexts(Directions) {
  return {"bidirectional", "unidirectional", "lowest"};
}

// How the outputs of the two directions of a layer become one: one behind the other, or their sum.
enum class DirectionMerge { kConcat, kSum };

inline std::vector<std::string> EnumTexts(DirectionMerge) { return {"concat", "sum"}; }

enum class EncoderKind { kRecurrent, kTransformer };

inline std::vector<std::string> EnumTexts(EncoderKind) { return {"recurrent", "transformer"}; }

struct EncoderOptions {
  EncoderKind kind = EncoderKind::kRecurrent;
  int64_t embedding = 256;
  int64_t hidden = 256;
  int64_t layers = 1;
  Directions directions = Directions::kBidirectional;
  DirectionMerge merge = DirectionMerge::kConcat;
  CellKind cell = CellKind::kLstm;
  bool residual = false;
  double dropout = 0.3;
  double embedding_dropout = -1;
  bool variational = false;
  double recurrent_dropout = 0;
  double word_dropout = 0;
  TransformerOptions transformer;

  template <typename V>
  void Visit(V&& visit) {
    visit("kind", kind,
          "recurrent: stacked recurrent layers; transformer: layers of self-attention, whose "
          "defaults, of training too, are others: layers 4, dropout 0.1, train.schedule.kind "
          "inverse_sqrt with warmup 2000u, train.optimizer.beta2 0.98. A Transformer does not "
          "read keys that say recurrent.");
    visit("embedding", embedding, "recurrent: size of a source embedding; else it is hidden.");
    visit("hidden", hidden,
          "Size of a layer: of the recurrent state in each direction, or of the Transformer.");
    visit("layers", layers,
          "Number of stacked layers. recurrent: 2 to 4 from about a million sentence pairs.");
    visit("directions", directions,
          "recurrent: which layers read both ways: all (bidirectional), none (unidirectional), or "
          "the "
          "lowest alone (lowest), which is faster than all.");
    visit("merge", merge,
          "recurrent: joins the outputs of the two directions of a layer. concat: one behind the "
          "other, of size 2 x hidden; sum: their sum, of size hidden, as smaller input of what "
          "follows.");
    visit("cell", cell,
          "recurrent: the cell. lstm is the safe choice; gru costs a quarter less; rnn_tanh and "
          "rnn_relu learn short dependencies only. peephole: LSTM whose gates read the cell "
          "state; coupled: peephole with the forget gate tied to 1 - input gate. coupled, "
          "layer_norm_lstm and layer_norm_gru train one time step at a time, which is slower.");
    visit("residual", residual,
          "recurrent: residual connections around the layers above the first where input and "
          "output sizes agree. For three layers or more.");
    visit("dropout", dropout,
          "Dropout rate on embeddings and between layers, of a Transformer after each sub-layer. "
          "0.3 to 0.5 for small corpora, 0.1 for large.");
    visit("embedding_dropout", embedding_dropout,
          "Dropout rate on embeddings; -1 uses the value of dropout.");
    visit("variational", variational,
          "recurrent: variational dropout, the same mask at every time step of a sentence (Gal & "
          "Ghahramani 2016), but without their masks of the recurrent state. Trains one time step "
          "at a time, which is slower.");
    visit("recurrent_dropout", recurrent_dropout,
          "recurrent: dropout rate on the candidate values of the recurrent state (Semeniuta et "
          "al. 2016); must be 0 for rnn_tanh and rnn_relu. Trains one time step at a time, which "
          "is slower.");
    visit("word_dropout", word_dropout,
          "Share of the source tokens replaced by the unknown token in training. Use at most 0.1; "
          "0 is off.");
    visit("transformer", transformer);
  }
};

// InvalidArgument, naming the key and its value, if `options` are invalid.
absl::Status Validate(const EncoderOptions& options);

// Size of a source embedding.
int64_t EmbeddingSize(const EncoderOptions& options);

// Size of the encoder output.
int64_t OutputSize(const EncoderOptions& options);

// Size of the output of layer `layer` of a recurrent encoder.
int64_t LayerSize(const EncoderOptions& options, int64_t layer);

// Whether the output of layer `layer` is the sum of two directions.
bool SumsDirections(const EncoderOptions& options, int64_t layer);

// Whether layer `layer` is bidirectional.
bool IsBidirectional(const EncoderOptions& options, int64_t layer);

// Whether layer `layer`, with input of size `input`, has a residual connection.
bool AddsInput(const EncoderOptions& options, int64_t layer, int64_t input);

// Number of cells in most layers, which the kernels run in parallel.
int64_t CellsSideBySide(const EncoderOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_ENCODER_OPTIONS_H_
