// Sequence-to-sequence model: encoder, bridge and attentional decoder, as a LibTorch module.
#ifndef SEQ2SEQ_MODEL_MODEL_H_
#define SEQ2SEQ_MODEL_MODEL_H_

#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/data/batch.h"
#include "seq2seq/inference/model_options.h"
#include "seq2seq/model/decoder.h"
#include "seq2seq/model/encoder.h"
#include "seq2seq/model/loss.h"
#include "seq2seq/model/parameter_group.h"
#include "seq2seq/model/teacher_forcing.h"

namespace seq2seq {

// An encoder, a decoder that attends to its output, and the bridge between; a language model has no
// source, and the initial state of its decoder is zero.
//
//   Model model(options);                                      // Validate(options) must be OK.
//   model->ComputeLoss(batch, TeacherForcing(), {.smoothing = 0.1}).objective.backward();
//   torch::Tensor logits = model(batch, TeacherForcing());     // All logits at once.
//
//   auto state = model->decoder()->Start(model->Encode(batch));  // Search, a time step at a time.
//   DecoderStep step = model->decoder()->Step(bos, *state);
//
// Holds parameters and nothing that changes while decoding: in eval mode threads may share it.
class ModelImpl : public torch::nn::Module {
 public:
  // Throws if the file of an image network is invalid.
  explicit ModelImpl(const ModelOptions& options);

  // Logits of all target tokens of the batch without padding, sentence after sentence: [token,
  // vocab].
  torch::Tensor forward(const Batch& batch, const TeacherForcing& forcing);

  // CrossEntropy of these logits with the other `terms` plus, in training, the penalties of the
  // decoder. Never holds all logits where the kernels compute.
  Loss ComputeLoss(const Batch& batch, const TeacherForcing& forcing, const LossTerms& terms = {});

  // What another model learns from this one, in eval mode, for a batch. Without gradient.
  Distillation::Teacher Teach(const Batch& batch);

  // Encodes the sources of a batch, once each; without sources, only its size matters.
  Encoded Encode(const Batch& batch) { return encoder_(batch); }

  // Whether the decoder's kernel computes whole targets, instead of one time step at a time.
  bool is_fused() const { return decoder_->is_fused(); }

  // How encoder and decoder compute in the current mode: "fused encoder, decoder step by step".
  std::string DescribePaths() const;

  // All parameters, in groups for training.
  std::vector<ParameterGroup> ParameterGroups() const;

  Encoder& encoder() { return encoder_; }
  Decoder& decoder() { return decoder_; }

  const ModelOptions& options() const { return options_; }

 private:
  Decoded Decode(const Batch& batch, const TeacherForcing& forcing, bool with_attention);

  ModelOptions options_;
  Encoder encoder_{nullptr};
  Decoder decoder_{nullptr};
};
TORCH_MODULE(Model);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_MODEL_H_
