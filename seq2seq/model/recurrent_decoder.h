// Attentional recurrent decoder.
#ifndef SEQ2SEQ_MODEL_RECURRENT_DECODER_H_
#define SEQ2SEQ_MODEL_RECURRENT_DECODER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include "seq2seq/model/attention.h"
#include "seq2seq/model/bridge.h"
#include "seq2seq/model/cell.h"
#include "seq2seq/model/decoder.h"

namespace seq2seq {

// The state of a RecurrentDecoder.
struct RecurrentDecoderState : DecoderState {
  Memory memory;
  std::vector<CellState> cells;     // One per layer.
  torch::Tensor attentional_state;  // [row, attentional], of the previous time step.
  torch::Tensor coverage;  // [row, source], of Attention::UpdateCoverage; may be undefined.
  // In training with variational dropout, the masks for all time steps: of the token embedding,
  // [row, embedding], of the input of each layer above the first, [row, hidden], and of the
  // context, [row, context].
  torch::Tensor embedding_mask;
  std::vector<torch::Tensor> layer_masks;
  torch::Tensor context_mask;

  std::shared_ptr<const DecoderState> Select(const torch::Tensor& sentences,
                                             const torch::Tensor& rows) const override;
};

// Stacked recurrent cells, whose top output attends to the source; the output is the attentional
// state, tanh(W [context; hidden]) (Luong et al. 2015), of AttentionalSize(options). A conditional
// cell (Sennrich et al. 2017) comes between: it reads the context and goes on from the last cell's
// state; its state is `hidden`, and the last cell's previous one at the next time step.
class RecurrentDecoderImpl : public DecoderImpl {
 public:
  // Shares `embedding` unless that is empty.
  RecurrentDecoderImpl(const ModelOptions& model, torch::nn::Embedding embedding);

  std::shared_ptr<const DecoderState> Start(const Encoded& encoded) override;
  Decoded forward(const torch::Tensor& tokens, const torch::Tensor& lengths,
                  const DecoderState& start, const TeacherForcing& forcing,
                  bool with_attention) override;
  DecoderStep Step(const torch::Tensor& tokens, const DecoderState& state) override;
  bool is_fused() const override;
  std::string DescribePath() const override {
    return is_fused() ? "fused decoder" : "decoder step by step";
  }
  Bridge bridge() const override { return bridge_; }

 private:
  // Decodes whole targets by the kernels. `predicted`, [batch, target], is true where scheduled
  // sampling feeds a predicted token; undefined for none.
  Decoded FusedDecode(const torch::Tensor& tokens, const torch::Tensor& lengths,
                      const RecurrentDecoderState& start, const torch::Tensor& predicted,
                      const TeacherForcing& forcing, bool with_attention) const;
  // The same one time step at a time, with the penalty.
  Decoded PlainDecode(const torch::Tensor& tokens, const RecurrentDecoderState& start,
                      const torch::Tensor& predicted, const TeacherForcing& forcing,
                      bool with_attention);

  // `start` with new dropout masks.
  RecurrentDecoderState WithMasks(const RecurrentDecoderState& start) const;

  // Embeds tokens and projects them for the first cell: [row], or [target, batch], -> [..., gates].
  // `mask`, [row, embedding], replaces dropout where it is defined.
  torch::Tensor ProjectTokens(const torch::Tensor& tokens, const torch::Tensor& mask);

  // One time step from projected tokens, [row, gates], and its attention weights, [row, source].
  RecurrentDecoderState Advance(const torch::Tensor& projected, const RecurrentDecoderState& state,
                                torch::Tensor& attention);
  // The cells of a time step: their states, and the output of the last layer, [row, hidden].
  torch::Tensor RunCells(const torch::Tensor& projected, const RecurrentDecoderState& state,
                         std::vector<CellState>& cells);

  // The doubly stochastic penalty of attention weights summed over the time steps, [batch, source].
  torch::Tensor Penalty(const torch::Tensor& attention, const Memory& memory) const;

  DecoderOptions options_;
  double embedding_dropout_;
  std::vector<Cell> cells_;
  Cell context_cell_{nullptr};  // The conditional cell, if enabled.
  Attention attention_;
  torch::nn::Linear gate_{nullptr};  // Context gate, if enabled.
  torch::nn::Linear attentional_;
  Bridge bridge_{nullptr};
};
TORCH_MODULE(RecurrentDecoder);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_RECURRENT_DECODER_H_
