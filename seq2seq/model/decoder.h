// From what was said so far, and the source, to what comes next.
#ifndef SEQ2SEQ_MODEL_DECODER_H_
#define SEQ2SEQ_MODEL_DECODER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include <torch/nn/module.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/model/attention.h"
#include "seq2seq/model/cell.h"
#include "seq2seq/model/loss.h"
#include "seq2seq/model/teacher_forcing.h"

namespace seq2seq {

struct DecoderOptions {
  int64_t embedding = 256;
  int64_t hidden = 512;
  int64_t layers = 1;
  CellKind cell = CellKind::kLstm;
  bool residual = false;
  AttentionKind attention = AttentionKind::kGeneral;
  int64_t attention_heads = 4;
  bool input_feeding = true;
  bool context_gate = false;
  double doubly_stochastic = 0;
  bool tied_embeddings = false;
  double dropout = 0.3;
  double embedding_dropout = -1;
  double output_dropout = -1;
  double attention_dropout = 0;
  bool variational = false;
  double recurrent_dropout = 0;
  double word_dropout = 0;

  template <typename V>
  void Visit(V&& visit) {
    visit("embedding", embedding, "Size of a target embedding.");
    visit("hidden", hidden, "Size of the recurrent state; the capacity of the model.");
    visit("layers", layers, "Stacked layers. 2-4 from about a million sentence pairs.");
    visit("cell", cell, "The recurrent formula; see the encoder's.");
    visit("residual", residual,
          "A layer above the first adds its input to its output. For three layers or more. Runs "
          "step by step.");
    visit("attention", attention,
          "How a query is compared with the source. dot and scaled_dot need hidden to be what the "
          "encoder gives, 2 x encoder.hidden where its last layer is bidirectional. general, dot, "
          "scaled_dot and none run through the kernels, the others step by step; coverage and "
          "location know where steps before looked; none reads nothing but the state that it "
          "starts from.");
    visit("attention_heads", attention_heads,
          "multi_head: parts of hidden that look by themselves.");
    visit("input_feeding", input_feeding,
          "Each step sees where the last one looked (Luong et al. 2015, section 3.3).");
    visit("context_gate", context_gate,
          "Each step decides how much of what it saw counts (Xu et al. 2015, section 4.2.1). Runs "
          "step by step.");
    visit("doubly_stochastic", doubly_stochastic,
          "Weight of a penalty for places that all steps together do not look at once (the same "
          "section, where it is 1). For images; 0 is none. Trains step by step.");
    visit("tied_embeddings", tied_embeddings,
          "The output layer shares its weights with the target embedding (Press & Wolf 2017). "
          "Saves memory; for small corpora often better.");
    visit("dropout", dropout,
          "On embeddings, between layers and before the output layer. 0.3-0.5 for small corpora.");
    visit("embedding_dropout", embedding_dropout, "On embeddings; -1 is what dropout says.");
    visit("output_dropout", output_dropout, "Before the output layer; -1 is what dropout says.");
    visit("attention_dropout", attention_dropout,
          "On what attention has read. Trains step by step.");
    visit("variational", variational,
          "Dropout leaves out the same numbers at every step of a sentence, as in Gal & Ghahramani "
          "2016, but without their masks of the recurrent state. Trains step by step.");
    visit("recurrent_dropout", recurrent_dropout,
          "Of what is new in a state, at each step (Semeniuta et al. 2016); not of rnn_tanh and "
          "rnn_relu. Trains step by step.");
    visit("word_dropout", word_dropout,
          "Share of the pieces fed in training that are made unknown, so that the decoder looks at "
          "the source. 0.1 at most; 0 is none.");
  }
};

// InvalidArgument, naming the key and its value, if no decoder can be made of `options`.
absl::Status Validate(const DecoderOptions& options);

// Whether the kernels know such a decoder.
bool HasKernel(const DecoderOptions& options);

// What the decoder carries from step to step. A value: search reorders it as it likes.
struct DecoderState {
  std::vector<CellState> cells;  // One a layer.
  torch::Tensor readout;         // [row, readout], of the step before.
  torch::Tensor looked;          // [row, source], what attention remembers; undefined if nothing.
  // In training with variational dropout the masks of all steps: of the token's embedding, [row,
  // embedding], of the input of each layer above the first, [row, hidden], and of the context,
  // [row, context].
  torch::Tensor embedding_mask;
  std::vector<torch::Tensor> layer_masks;
  torch::Tensor context_mask;

  // The state of the rows `rows`, [row], for search, which has no masks.
  DecoderState Select(const torch::Tensor& rows) const;
};

// The result of one step.
struct DecoderStep {
  torch::Tensor readout;    // [row, readout], what the output layer is given.
  torch::Tensor attention;  // [row, source], where the step looked.
  DecoderState state;
};

// What becomes of whole targets.
struct Decoded {
  torch::Tensor readouts;   // [batch, target, readout]; those at padding are undefined.
  torch::Tensor attention;  // [batch, source], summed up over the steps of each sentence; undefined
                            // where no penalty needs it.
};

// Stacked cells, whose last output looks at the source; tanh of both together is the readout, and a
// linear layer scores the vocabulary (Luong et al. 2015). The readout has the size of the state, or
// of the embedding if the two are tied. Training and search go through the same Step.
class DecoderImpl : public torch::nn::Module {
 public:
  // `memory` is the size of the encoder's values. Shares `embedding` unless that is empty.
  DecoderImpl(int64_t vocab, int64_t memory, const DecoderOptions& options,
              torch::nn::Embedding embedding = nullptr);

  // A source made ready to be attended to.
  Memory Memorize(const Encoded& encoded) { return attention_->Memorize(encoded); }

  // Reads whole targets, [batch, target], with `lengths`, [batch], on the CPU. Where `forcing` says
  // so a token is replaced by the decoder's own.
  Decoded forward(const torch::Tensor& tokens, const torch::Tensor& lengths, const Memory& memory,
                  const DecoderState& start, const TeacherForcing& forcing);

  // What tokens contribute to the first cell: [row], or [target, batch], -> [..., gates]. `mask`,
  // [row, embedding], takes the place of dropout where it is defined.
  torch::Tensor ProjectTokens(const torch::Tensor& tokens, const torch::Tensor& mask = {});

  // One step of projected tokens, [row, gates]. The rows stand in equal groups for the sentences of
  // `memory`: row r belongs to sentence r / (row / batch).
  DecoderStep Step(const torch::Tensor& projected, const DecoderState& state, const Memory& memory);

  // What dropout before the output layer leaves of the readouts of a batch, [batch, target,
  // readout].
  torch::Tensor DropReadouts(const torch::Tensor& readouts) const;

  // Scores of the vocabulary: [..., readout] -> [..., vocab]; or, where `tokens`, [token], is
  // defined, of these alone, [..., token].
  torch::Tensor Logits(const torch::Tensor& readout, const torch::Tensor& tokens = {});

  // The loss of the readouts of a batch, [batch, target, readout], as CrossEntropy of their logits;
  // the objective is multiplied by `scale`. The kernels never hold the logits of more than some
  // rows.
  Loss ComputeLoss(const torch::Tensor& readouts, const Batch& batch, double smoothing,
                   double scale);

  // The penalty of DecoderOptions::doubly_stochastic, summed over the sentences, from the
  // attention.
  torch::Tensor Penalty(const Decoded& decoded, const Memory& memory) const;

  // Whether the kernels compute whole targets.
  bool is_fused() const;

  int64_t readout_size() const {
    return options_.tied_embeddings ? options_.embedding : options_.hidden;
  }

 private:
  torch::Tensor FusedReadouts(const torch::Tensor& tokens, const torch::Tensor& lengths,
                              const Memory& memory, const DecoderState& start,
                              const torch::Tensor& own, bool sample);
  Decoded PlainDecode(const torch::Tensor& tokens, const Memory& memory, const DecoderState& start,
                      const torch::Tensor& own, const TeacherForcing& forcing);

  // Whether the masks of dropout are the same in all steps of this pass.
  bool SharesMasks() const { return options_.variational && is_training(); }

  // `start` with the masks of this pass.
  DecoderState WithMasks(const DecoderState& start) const;

  // `tokens`, [batch, target], with the decoder's own where `own` is true, chosen by the readouts
  // of the steps before. Holds the logits of some rows at a time.
  torch::Tensor WithOwnTokens(const torch::Tensor& tokens, const torch::Tensor& readouts,
                              const torch::Tensor& own, const TeacherForcing& forcing);

  // Logits without gradient.
  torch::Tensor Preview(const torch::Tensor& readout);

  DecoderOptions options_;
  double embedding_dropout_;
  double output_dropout_;
  torch::nn::Embedding embedding_;
  std::vector<Cell> cells_;
  Attention attention_;
  torch::nn::Linear gate_{nullptr};  // Of the context, if there is one.
  torch::nn::Linear readout_;
  torch::Tensor output_weight_;  // [vocab, readout]
  torch::Tensor output_bias_;    // [vocab]
};
TORCH_MODULE(Decoder);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_DECODER_H_
