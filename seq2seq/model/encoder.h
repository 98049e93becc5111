// From source tokens to the states that the decoder attends to.
#ifndef SEQ2SEQ_MODEL_ENCODER_H_
#define SEQ2SEQ_MODEL_ENCODER_H_

#include <cstdint>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/model/cell.h"

namespace seq2seq {

struct EncoderOptions {
  int64_t embedding = 256;
  int64_t hidden = 256;
  int64_t layers = 1;
  CellKind cell = CellKind::kLstm;
  double dropout = 0.3;

  template <typename V>
  void Visit(V&& visit) {
    visit("embedding", embedding, "Size of a source embedding.");
    visit("hidden", hidden, "Size of the state in each of the two directions.");
    visit("layers", layers,
          "Stacked bidirectional layers. 2-4 from about a million sentence pairs.");
    visit("cell", cell, "The recurrent formula.");
    visit("dropout", dropout,
          "On embeddings and between layers. 0.3-0.5 for small corpora, 0.1 for large.");
  }
};

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
};
TORCH_MODULE(Encoder);

// Stacked layers of two cells, one reading from either end (Schuster & Paliwal 1997); the input of
// a layer is what both cells of the layer below say of a token.
class BidirectionalEncoderImpl : public EncoderImpl {
 public:
  BidirectionalEncoderImpl(int64_t vocab, const EncoderOptions& options);

  Encoded forward(const torch::Tensor& tokens, const torch::Tensor& lengths) override;
  int64_t output_size() const override { return 2 * options_.hidden; }

 private:
  // The states of all tokens, [batch, source, 2 x hidden], zero at padding: through the kernels, or
  // step by step.
  torch::Tensor FusedStates(const torch::Tensor& tokens, const torch::Tensor& lengths);
  torch::Tensor PlainStates(const torch::Tensor& tokens, const torch::Tensor& lengths);

  EncoderOptions options_;
  torch::nn::Embedding embedding_;
  std::vector<Cell> forward_cells_;   // One a layer.
  std::vector<Cell> backward_cells_;  // One a layer.
};
TORCH_MODULE(BidirectionalEncoder);

// An encoder of tokens below `vocab`.
Encoder MakeEncoder(int64_t vocab, const EncoderOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_ENCODER_H_
