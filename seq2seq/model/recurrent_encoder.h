// Recurrent encoder: from source tokens to the encoder output that the decoder attends to.
#ifndef SEQ2SEQ_MODEL_RECURRENT_ENCODER_H_
#define SEQ2SEQ_MODEL_RECURRENT_ENCODER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include <torch/nn/module.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/model/cell.h"

namespace seq2seq {

// Which layers are bidirectional: all, none, or the lowest alone, under unidirectional layers (Wu
// et al. 2016).
enum class Directions { kBidirectional, kUnidirectional, kLowest };

inline std::vector<std::string> EnumTexts(Directions) {
  return {"bidirectional", "unidirectional", "lowest"};
}

struct EncoderOptions {
  int64_t embedding = 256;
  int64_t hidden = 256;
  int64_t layers = 1;
  Directions directions = Directions::kBidirectional;
  CellKind cell = CellKind::kLstm;
  bool residual = false;
  double dropout = 0.3;
  double embedding_dropout = -1;
  bool variational = false;
  double recurrent_dropout = 0;
  double word_dropout = 0;

  template <typename V>
  void Visit(V&& visit) {
    visit("embedding", embedding, "Size of a source embedding.");
    visit("hidden", hidden, "Size of the hidden state in each direction.");
    visit("layers", layers,
          "Number of stacked layers. 2 to 4 from about a million sentence pairs.");
    visit("directions", directions,
          "bidirectional: all layers; unidirectional: none; lowest: the lowest layer alone is "
          "bidirectional, which is faster than all.");
    visit("cell", cell,
          "Recurrent cell. lstm is the safe choice; gru costs a quarter less; rnn_tanh and "
          "rnn_relu learn short dependencies only. peephole: LSTM whose gates read the cell state; "
          "coupled: peephole with the forget gate tied to 1 - input gate. coupled, layer_norm_lstm "
          "and layer_norm_gru are computed one time step at a time, which is slower.");
    visit("residual", residual,
          "Residual connections around the layers above the first where input and output sizes "
          "agree. For three layers or more.");
    visit("dropout", dropout,
          "Dropout rate on embeddings and between layers. 0.3 to 0.5 for small corpora, 0.1 for "
          "large.");
    visit("embedding_dropout", embedding_dropout,
          "Dropout rate on embeddings; -1 uses the value of dropout.");
    visit("variational", variational,
          "Variational dropout: the same mask at every time step of a sentence (Gal & Ghahramani "
          "2016), but without their masks of the recurrent state. Trains one time step at a time, "
          "which is slower.");
    visit("recurrent_dropout", recurrent_dropout,
          "Dropout rate on the candidate values of the recurrent state (Semeniuta et al. 2016); "
          "must be 0 for rnn_tanh and rnn_relu. Trains one time step at a time, which is slower.");
    visit("word_dropout", word_dropout,
          "Share of the source tokens replaced by the unknown token in training. Use at most 0.1; "
          "0 is off.");
  }
};

// InvalidArgument, naming the key and its value, if `options` are invalid.
absl::Status Validate(const EncoderOptions& options);

// Encoder output.
struct Encoded {
  torch::Tensor values;  // [batch, source, size], zero at padding.
  torch::Tensor mask;    // [batch, source], bool, true where there is a token.
  torch::Tensor final;   // [batch, size], a summary of the source for the bridge.
};

// Base class of encoders of token sequences. The encoding of a sentence does not depend on padding
// or on the other sentences of the batch.
class EncoderImpl : public torch::nn::Module {
 public:
  // Tokens [batch, source], padded on the right, and their lengths [batch], at least 1, on the CPU.
  virtual Encoded forward(const torch::Tensor& tokens, const torch::Tensor& lengths) = 0;

  // Size of the last dimension of Encoded::values.
  virtual int64_t output_size() const = 0;

  // Whether the kernels compute whole sequences, instead of one time step at a time.
  virtual bool is_fused() const = 0;
};
TORCH_MODULE(Encoder);

// Size of the last dimension of Encoded::values.
int64_t OutputSize(const EncoderOptions& options);

// Whether layer `layer` is bidirectional.
bool IsBidirectional(const EncoderOptions& options, int64_t layer);

// Whether layer `layer`, with inputs of size `input`, has a residual connection.
bool AddsInput(const EncoderOptions& options, int64_t layer, int64_t input);

// The cells of most layers that run at the same time, for PackSequence.
int64_t CellsSideBySide(const EncoderOptions& options);

// Whether layer `layer`, with input of size `input`, has a residual connection.
bool AddsInput(const EncoderOptions& options, int64_t layer, int64_t input);

// Number of cells in most layers, which the kernels run in parallel.
int64_t CellsSideBySide(const EncoderOptions& options);

// Stacked recurrent layers, each of a forward cell and, where bidirectional, a backward cell
// (Schuster & Paliwal 1997). The input of a layer is the concatenated output of the cells of the
// layer below; residual layers add their input to their output. The summary is the final output of
// each cell of the last layer.
class RecurrentEncoderImpl : public EncoderImpl {
 public:
  // Shares `embedding`, or makes its own if that is empty.
  RecurrentEncoderImpl(int64_t vocab, const EncoderOptions& options,
                       torch::nn::Embedding embedding);

  Encoded forward(const torch::Tensor& tokens, const torch::Tensor& lengths) override;
  int64_t output_size() const override { return OutputSize(options_); }
  bool is_fused() const override;

 private:
  struct Layer {
    std::vector<Cell> cells;  // Forward and, if bidirectional, backward.
    bool residual = false;
  };

  // The output of the last layer, [batch, source, size], zero at padding: by the kernels, or one
  // time step at a time.
  torch::Tensor FusedStates(const torch::Tensor& tokens, const torch::Tensor& lengths);
  torch::Tensor PlainStates(const torch::Tensor& tokens, const torch::Tensor& lengths);

  EncoderOptions options_;
  torch::nn::Embedding embedding_;
  std::vector<Layer> layers_;
};

// An encoder of tokens below `vocab`, with its own embedding unless one is given.
Encoder MakeEncoder(int64_t vocab, const EncoderOptions& options,
                    torch::nn::Embedding embedding = nullptr);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_RECURRENT_ENCODER_H_
