// Decoders: p(next target token | prefix, encoder output).
#ifndef SEQ2SEQ_MODEL_DECODER_H_
#define SEQ2SEQ_MODEL_DECODER_H_

#include <cstdint>
#include <memory>
#include <string>

#include <torch/nn/module.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/data/batch.h"
#include "seq2seq/inference/model_options.h"
#include "seq2seq/model/bridge.h"
#include "seq2seq/model/encoded.h"
#include "seq2seq/model/loss.h"
#include "seq2seq/model/teacher_forcing.h"

namespace seq2seq {

// The state of a decoder between time steps, with the encoder output that it attends to: an opaque
// value that only the decoder which made it reads.
class DecoderState {
 public:
  virtual ~DecoderState() = default;

  // The state of the rows `rows`, [row]. Rows are in equal groups, one per sentence: the sentences
  // `sentences`, [sentence], or all as before if that is undefined. For search, in eval mode.
  virtual std::shared_ptr<const DecoderState> Select(const torch::Tensor& sentences,
                                                     const torch::Tensor& rows) const = 0;
};

// The result of one time step.
struct DecoderStep {
  torch::Tensor output;     // [row, output], input of the output layer.
  torch::Tensor attention;  // [row, source], the attention weights.
  std::shared_ptr<const DecoderState> state;
};

// The result of decoding whole targets.
struct Decoded {
  torch::Tensor outputs;  // [batch, target, output], input of the output layer; any at padding.
  torch::Tensor penalty;  // Scalar, to be added to the objective in training; may be undefined.
  // [batch, target, source], logarithms of the attention weights; any at padding. Undefined unless
  // asked for.
  torch::Tensor log_attention;
};

// Base class of decoders, with target embedding and output layer. Training and search share Step.
class DecoderImpl : public torch::nn::Module {
 public:
  // The initial state, with a row per sentence.
  virtual std::shared_ptr<const DecoderState> Start(const Encoded& encoded) = 0;

  // Decodes whole targets, [batch, target], with `lengths`, [batch], on the CPU. Scheduled sampling
  // as in `forcing` replaces tokens by predicted ones. With attention, Decoded::log_attention has a
  // gradient too.
  virtual Decoded forward(const torch::Tensor& tokens, const torch::Tensor& lengths,
                          const DecoderState& start, const TeacherForcing& forcing,
                          bool with_attention) = 0;

  // One time step from `tokens`, [row].
  virtual DecoderStep Step(const torch::Tensor& tokens, const DecoderState& state) = 0;

  // Whether the kernels compute whole targets.
  virtual bool is_fused() const = 0;

  // How it computes whole targets in the current mode, for the log: "fused decoder".
  virtual std::string DescribePath() const = 0;

  // The module that Start makes the initial state with, which the model registers; empty for none.
  virtual Bridge bridge() const { return nullptr; }

  // Dropout before the output layer: of the outputs of a batch, [batch, target, output].
  torch::Tensor DropOutputs(const torch::Tensor& outputs) const;

  // Logits of the vocabulary: [..., output] -> [..., vocab]; or, where `tokens`, [token], is
  // defined, of these alone, [..., token].
  torch::Tensor Logits(const torch::Tensor& outputs, const torch::Tensor& tokens = {}) const;

  // Whether it copies, as in copying.h; and the log-odds of that: [..., output] -> [...].
  bool copies() const { return copies_; }
  torch::Tensor CopyLogits(const torch::Tensor& outputs);

  // CrossEntropy of a batch; a decoder that copies needs decoded.log_attention, and takes no
  // teachers. The kernels hold the logits of a few rows at a time.
  Loss ComputeLoss(const Decoded& decoded, const Batch& batch, const LossTerms& terms);

  // The outputs of a batch, in eval mode, as those of a teacher.
  Distillation::Teacher Teach(const torch::Tensor& outputs) const;

 protected:
  // Shares `embedding`, [vocab, embedding], unless that is empty.
  DecoderImpl(int64_t vocab, const DecoderOptions& options, torch::nn::Embedding embedding);

  // Makes the output layer, for outputs of `size` values; after the parameters of the derived
  // class, so that a seed gives the same initial weights as ever. After it, the gate of copying.
  void MakeOutputLayer(int64_t size);

  // Whether this forward pass uses the same dropout masks at all time steps.
  bool SharesMasks() const { return variational_ && is_training(); }

  // Logits without gradient.
  torch::Tensor Preview(const torch::Tensor& outputs) const;

  // The logarithms of attention weights, with a finite gradient where these are 0.
  static torch::Tensor LogAttention(const torch::Tensor& weights) {
    return weights.clamp_min(1e-12).log();
  }

  // Where scheduled sampling feeds predicted tokens, [batch, target]; undefined for nowhere.
  static torch::Tensor DrawPredicted(const torch::Tensor& tokens, const TeacherForcing& forcing);

  // `tokens`, [batch, target], replaced where `predicted` is true by tokens predicted from the
  // outputs of the previous time steps. Holds the logits of some rows at a time.
  torch::Tensor WithPredictedTokens(const torch::Tensor& tokens, const torch::Tensor& outputs,
                                    const torch::Tensor& predicted,
                                    const TeacherForcing& forcing) const;

  torch::nn::Embedding embedding_;
  torch::Tensor output_weight_;  // [vocab, output]
  torch::Tensor output_bias_;    // [vocab]

 private:
  // The output layer of all tokens, or of a part.
  struct OutputWeights {
    torch::Tensor weight;  // [token, output]
    torch::Tensor bias;    // [token]
  };
  // `log_copied` as in FusedCrossEntropy.
  Loss OutputLoss(const torch::Tensor& outputs, const Batch& batch, const LossTerms& terms,
                  const torch::Tensor& log_copied) const;
  Loss OutputLoss(const torch::Tensor& outputs, const OutputWeights& layer, const Batch& batch,
                  const LossTerms& terms, const torch::Tensor& log_copied) const;

  torch::nn::Linear copy_gate_{nullptr};
  const bool copies_;
  const bool tied_;
  const bool variational_;
  const double output_dropout_;
};
TORCH_MODULE(Decoder);

// The decoder of a model. Shares `embedding` unless that is empty.
Decoder MakeDecoder(const ModelOptions& options, torch::nn::Embedding embedding);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_DECODER_H_
