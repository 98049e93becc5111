// Attentional RNN decoder: p(next target token | prefix, encoder output).
#ifndef SEQ2SEQ_MODEL_RECURRENT_DECODER_H_
#define SEQ2SEQ_MODEL_RECURRENT_DECODER_H_

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
    visit("hidden", hidden, "Size of the hidden state; the capacity of the model.");
    visit("layers", layers,
          "Number of stacked layers. 2 to 4 from about a million sentence pairs.");
    visit("cell", cell, "Recurrent cell; see model.encoder.cell.");
    visit("residual", residual,
          "Residual connections around the layers above the first. For three layers or more. "
          "Computed one time step at a time, which is slower.");
    visit("attention", attention,
          "Score function of attention. dot and scaled_dot need hidden to equal the size of the "
          "encoder output, which is 2 x encoder.hidden where its last layer is bidirectional. mlp "
          "is additive attention; coverage and location are mlp with the attention weights of "
          "earlier time steps as a further input; none leaves only the initial state. general, "
          "dot, scaled_dot and none are computed by the kernels, the others one time step at a "
          "time, which is slower.");
    visit("attention_heads", attention_heads, "multi_head: number of heads, a divisor of hidden.");
    visit("input_feeding", input_feeding,
          "Input feeding: the attentional state of the previous time step is part of the input "
          "(Luong et al. 2015, section 3.3).");
    visit("context_gate", context_gate,
          "Scales the context by a gate computed from the hidden state (Xu et al. 2015, section "
          "4.2.1). Computed one time step at a time, which is slower.");
    visit("doubly_stochastic", doubly_stochastic,
          "Weight of the doubly stochastic penalty, which pushes the sum of the attention weights "
          "of each source position towards 1 (Xu et al. 2015, section 4.2.1, with weight 1). For "
          "images. 0 to 1,000; 0 is off. Trains one time step at a time, which is slower.");
    visit("tied_embeddings", tied_embeddings,
          "The output layer shares its weights with the target embedding (Press & Wolf 2017). "
          "Saves memory; often better for small corpora.");
    visit("dropout", dropout,
          "Dropout rate on embeddings, between layers and before the output layer. 0.3 to 0.5 for "
          "small corpora.");
    visit("embedding_dropout", embedding_dropout,
          "Dropout rate on embeddings; -1 uses the value of dropout.");
    visit("output_dropout", output_dropout,
          "Dropout rate before the output layer; -1 uses the value of dropout.");
    visit("attention_dropout", attention_dropout,
          "Dropout rate on the context. Trains one time step at a time, which is slower.");
    visit("variational", variational,
          "Variational dropout: the same mask at every time step of a sentence (Gal & Ghahramani "
          "2016), but without their masks of the recurrent state. Trains one time step at a time, "
          "which is slower.");
    visit("recurrent_dropout", recurrent_dropout,
          "Dropout rate on the candidate values of the recurrent state (Semeniuta et al. 2016); "
          "must be 0 for rnn_tanh and rnn_relu. Trains one time step at a time, which is slower.");
    visit("word_dropout", word_dropout,
          "Share of the input tokens replaced by the unknown token in training, so that the "
          "decoder relies on the source. Use at most 0.1; 0 is off.");
  }
};

// InvalidArgument, naming the key and its value, if `options` are invalid.
absl::Status Validate(const DecoderOptions& options);

// Whether the kernels support such a decoder.
bool HasKernel(const DecoderOptions& options);

// The state of the decoder between time steps. A value: search selects and reorders its rows.
struct DecoderState {
  std::vector<CellState> cells;  // One per layer.
  torch::Tensor
      attentional_state;   // [row, attentional], the attentional state of the previous time step.
  torch::Tensor attended;  // [row, source], from Attention::UpdateCoverage; may be undefined.
  // In training with variational dropout, the masks for all time steps: of the token embedding,
  // [row, embedding], of the input of each layer above the first, [row, hidden], and of the
  // context, [row, context].
  torch::Tensor embedding_mask;
  std::vector<torch::Tensor> layer_masks;
  torch::Tensor context_mask;

  // The state of the rows `rows`, [row], for search, which has no masks.
  DecoderState Select(const torch::Tensor& rows) const;
};

// The result of one time step.
struct DecoderStep {
  torch::Tensor
      attentional_state;    // [row, attentional], the attentional state, input of the output layer.
  torch::Tensor attention;  // [row, source], the attention weights.
  DecoderState state;
};

// The result of decoding whole targets.
struct Decoded {
  torch::Tensor attentional_states;  // [batch, target, attentional], attentional states; undefined
                                     // at padding.
  torch::Tensor attention;  // [batch, source], attention weights summed over the time steps of each
                            // sentence; undefined unless a penalty needs them.
};

// Stacked recurrent cells, whose top output attends to the source; the attentional state is tanh(W
// [context; output]), from which a linear layer computes logits (Luong et al. 2015). The
// attentional state has the size of the hidden state or, with tied embeddings, of an embedding.
// Training and search share Step.
class DecoderImpl : public torch::nn::Module {
 public:
  // `memory` is the size of the encoder output. Shares `embedding` unless that is empty.
  DecoderImpl(int64_t vocab, int64_t memory, const DecoderOptions& options,
              torch::nn::Embedding embedding = nullptr);

  // Keys and values of encoder output for attention.
  Memory Memorize(const Encoded& encoded) { return attention_->Memorize(encoded); }

  // Decodes whole targets, [batch, target], with `lengths`, [batch], on the CPU. Scheduled sampling
  // as in `forcing` replaces tokens by predicted ones.
  Decoded forward(const torch::Tensor& tokens, const torch::Tensor& lengths, const Memory& memory,
                  const DecoderState& start, const TeacherForcing& forcing);

  // Embeds tokens and projects them for the first cell: [row], or [target, batch], -> [..., gates].
  // `mask`, [row, embedding], replaces dropout where it is defined.
  torch::Tensor ProjectTokens(const torch::Tensor& tokens, const torch::Tensor& mask = {});

  // One time step from projected tokens, [row, gates]. Rows are in equal groups, one per sentence
  // of `memory`: row r belongs to sentence r / (row / batch).
  DecoderStep Step(const torch::Tensor& projected, const DecoderState& state, const Memory& memory);

  // Dropout before the output layer: of the attentional states of a batch, [batch, target,
  // attentional_state].
  torch::Tensor DropOutputs(const torch::Tensor& attentional_states) const;

  // Logits of the vocabulary: [..., attentional] -> [..., vocab]; or, where `tokens`, [token], is
  // defined, of these alone, [..., token].
  torch::Tensor Logits(const torch::Tensor& attentional_state, const torch::Tensor& tokens = {});

  // CrossEntropy of the logits of attentional states, [batch, target, attentional], with the
  // objective multiplied by `scale`. The kernels hold the logits of a few rows at a time.
  Loss ComputeLoss(const torch::Tensor& attentional_states, const Batch& batch, double smoothing,
                   double scale);

  // The doubly stochastic penalty of the attention weights, summed over the sentences.
  torch::Tensor Penalty(const Decoded& decoded, const Memory& memory) const;

  // Whether the kernels compute whole targets.
  bool is_fused() const;

  int64_t attentional_size() const {
    return options_.tied_embeddings ? options_.embedding : options_.hidden;
  }

 private:
  torch::Tensor FusedStates(const torch::Tensor& tokens, const torch::Tensor& lengths,
                            const Memory& memory, const DecoderState& start,
                            const torch::Tensor& predicted, bool sample);
  Decoded PlainDecode(const torch::Tensor& tokens, const Memory& memory, const DecoderState& start,
                      const torch::Tensor& predicted, const TeacherForcing& forcing);

  // Whether this forward pass uses the same dropout masks at all time steps.
  bool SharesMasks() const { return options_.variational && is_training(); }

  // `start` with new dropout masks.
  DecoderState WithMasks(const DecoderState& start) const;

  // `tokens`, [batch, target], replaced where `own` is true by tokens predicted from the
  // attentional states of the previous time steps. Holds the logits of some rows at a time.
  torch::Tensor WithPredictedTokens(const torch::Tensor& tokens,
                                    const torch::Tensor& attentional_states,
                                    const torch::Tensor& predicted, const TeacherForcing& forcing);

  // Logits without gradient.
  torch::Tensor Preview(const torch::Tensor& attentional_state);

  DecoderOptions options_;
  double embedding_dropout_;
  double output_dropout_;
  torch::nn::Embedding embedding_;
  std::vector<Cell> cells_;
  Attention attention_;
  torch::nn::Linear gate_{nullptr};  // Context gate, if enabled.
  torch::nn::Linear attentional_;
  torch::Tensor output_weight_;  // [vocab, attentional]
  torch::Tensor output_bias_;    // [vocab]
};
TORCH_MODULE(Decoder);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_RECURRENT_DECODER_H_
