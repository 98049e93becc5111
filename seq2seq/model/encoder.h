// From source tokens to the states that the decoder attends to.
#ifndef SEQ2SEQ_MODEL_ENCODER_H_
#define SEQ2SEQ_MODEL_ENCODER_H_

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

// Which layers read from both ends: all, none, or the lowest alone, under layers that read on from
// the first token (Wu et al. 2016).
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
    visit("hidden", hidden, "Size of the state in each direction.");
    visit("layers", layers, "Stacked layers. 2-4 from about a million sentence pairs.");
    visit("directions", directions,
          "Layers that read from both ends: all of them, none, or the lowest alone, which is "
          "quicker than all.");
    visit(
        "cell", cell,
        "The recurrent formula. lstm is the safe choice, gru does a quarter less; rnn_tanh and "
        "rnn_relu forget soon. peephole gates see the memory; coupled is such an LSTM that forgets "
        "as much as it takes in. coupled, layer_norm_lstm and layer_norm_gru run step by step.");
    visit("residual", residual,
          "A layer above the first adds its input to its output where sizes agree. For three "
          "layers or more.");
    visit("dropout", dropout,
          "On embeddings and between layers. 0.3-0.5 for small corpora, 0.1 for large.");
    visit("embedding_dropout", embedding_dropout, "On embeddings; -1 is what dropout says.");
    visit("variational", variational,
          "Dropout leaves out the same numbers at every step of a sentence, as in Gal & Ghahramani "
          "2016, but without their masks of the recurrent state. Trains step by step.");
    visit("recurrent_dropout", recurrent_dropout,
          "Of what is new in a state, at each step (Semeniuta et al. 2016); not of rnn_tanh and "
          "rnn_relu. Trains step by step.");
    visit("word_dropout", word_dropout,
          "Share of the pieces of a source that training makes unknown. 0.1 at most; 0 is none.");
  }
};

// InvalidArgument, naming the key and its value, if no encoder can be made of `options`.
absl::Status Validate(const EncoderOptions& options);

// A source as the encoder sees it.
struct Encoded {
  torch::Tensor values;  // [batch, source, size], zero at padding.
  torch::Tensor mask;    // [batch, source], bool, true where there is a token.
  torch::Tensor final;   // [batch, size], a summary that the decoder starts from.
};

// An encoder of token sequences. Padding and neighbours in the batch do not change what a sentence
// becomes.
class EncoderImpl : public torch::nn::Module {
 public:
  // Tokens [batch, source], padded on the right, and their numbers [batch], at least 1, on the CPU.
  virtual Encoded forward(const torch::Tensor& tokens, const torch::Tensor& lengths) = 0;

  // The last size of Encoded::values.
  virtual int64_t output_size() const = 0;

  // Whether the kernels compute whole sequences, or it goes step by step.
  virtual bool is_fused() const = 0;
};
TORCH_MODULE(Encoder);

// The last size of Encoded::values.
int64_t OutputSize(const EncoderOptions& options);

// Whether layer `layer` reads from both ends.
bool IsBidirectional(const EncoderOptions& options, int64_t layer);

// Whether layer `layer`, which is given `input` numbers, adds them to its output.
bool AddsInput(const EncoderOptions& options, int64_t layer, int64_t input);

// Cells of most layers, which the kernels run side by side.
int64_t CellsSideBySide(const EncoderOptions& options);

// Stacked layers of a cell that reads from the first token on and, where they are bidirectional,
// one that reads from the last (Schuster & Paliwal 1997); the input of a layer is what the cells of
// the layer below say of a token, to which residual layers add theirs. The summary is what the last
// layer gives at the end of each cell.
class RecurrentEncoderImpl : public EncoderImpl {
 public:
  // `embedding` is somebody else's, or empty for one of its own.
  RecurrentEncoderImpl(int64_t vocab, const EncoderOptions& options,
                       torch::nn::Embedding embedding);

  Encoded forward(const torch::Tensor& tokens, const torch::Tensor& lengths) override;
  int64_t output_size() const override { return OutputSize(options_); }
  bool is_fused() const override;

 private:
  struct Layer {
    std::vector<Cell> cells;  // From the first token on and, if bidirectional, from the last.
    bool residual = false;
  };

  // The states of all tokens, [batch, source, size], zero at padding: through the kernels, or step
  // by step.
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

#endif  // SEQ2SEQ_MODEL_ENCODER_H_
