// The whole network.
#ifndef SEQ2SEQ_MODEL_MODEL_H_
#define SEQ2SEQ_MODEL_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/data/batch.h"
#include "seq2seq/model/bridge.h"
#include "seq2seq/model/decoder.h"
#include "seq2seq/model/encoder.h"
#include "seq2seq/model/image_encoder.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/model/loss.h"

namespace seq2seq {

// What a source is. A model without one is a language model: it says what texts are like.
enum class SourceKind { kText, kImage, kNone };

inline std::vector<std::string> EnumTexts(SourceKind) { return {"text", "image", "none"}; }

struct ModelOptions {
  SourceKind source = SourceKind::kText;
  int64_t source_vocab = 0;
  int64_t target_vocab = 0;
  EncoderOptions encoder;
  ImageEncoderOptions image;
  DecoderOptions decoder;
  BridgeKind bridge = BridgeKind::kDense;
  bool shared_embeddings = false;
  InitializationOptions initialization;

  template <typename V>
  void Visit(V&& visit) {
    visit("source", source,
          "text: translates sentences; image: says what is in pictures; none: a language model, a "
          "decoder by itself, for decoder.attention none.");
    visit("source_vocab", source_vocab,
          "Pieces of the source tokenizer; 0 stands for as many as it has.");
    visit("target_vocab", target_vocab,
          "Pieces of the target tokenizer; 0 stands for as many as it has.");
    visit("encoder", encoder);
    visit("image", image);
    visit("decoder", decoder);
    visit("bridge", bridge,
          "What the decoder starts from: a dense layer over the last states of the encoder, or "
          "over the mean of all; copy: in every layer the last output of the encoder, whose size "
          "decoder.hidden must be, with memories of zero; or zero.");
    visit("shared_embeddings", shared_embeddings,
          "Source and target share one embedding; for one tokenizer of both. With "
          "decoder.tied_embeddings all three share.");
    visit("initialization", initialization);
  }
};

// InvalidArgument, naming the key and its value, if no model can be made of `options`.
absl::Status Validate(const ModelOptions& options);

// An encoder of text or of images, a decoder that attends to it, and the bridge between; or, where
// there is no source, the decoder alone, which starts from zero.
//
//   Model model(options);                                      // Validate(options) must be OK.
//   model->ComputeLoss(batch, TeacherForcing(), 0.1, 1.0).objective.backward();  // Training.
//   torch::Tensor logits = model(batch, TeacherForcing());     // All scores at once.
//
//   Model::ContainedType::Start start = model->Begin(batch);   // Search: step by step.
//   DecoderStep step = model->decoder()->Step(model->decoder()->ProjectTokens(bos), start.state,
//   start.memory);
//
// Holds parameters and nothing that changes while decoding: in eval mode threads may share it.
class ModelImpl : public torch::nn::Module {
 public:
  // Throws where the file of an image network is wrong.
  explicit ModelImpl(const ModelOptions& options);

  // The scores of every target token of the batch that is not padding, sentence after sentence:
  // [token, vocab].
  torch::Tensor forward(const Batch& batch, const TeacherForcing& forcing);

  // What CrossEntropy makes of these scores, and in training the penalties of the decoder, the
  // objective multiplied by `scale`; without ever holding all scores where the kernels compute.
  Loss ComputeLoss(const Batch& batch, const TeacherForcing& forcing, double smoothing,
                   double scale);

  // Everything that the first step of the decoder needs.
  struct Start {
    Memory memory;
    DecoderState state;
  };

  // Encodes the sources of a batch; without sources its size is all that counts.
  Start Begin(const Batch& batch);

  // Whether whole targets go through the decoder's kernel, or step by step.
  bool is_fused() const { return decoder_->is_fused(); }

  // Which way its parts compute in the present mode: "fused encoder, decoder step by step".
  std::string DescribePaths() const;

  Decoder& decoder() { return decoder_; }

  // Empty unless sources are images.
  ImageEncoder& image_encoder() { return image_encoder_; }

  const ModelOptions& options() const { return options_; }

 private:
  Encoded Encode(const Batch& batch);
  Decoded Decode(const Batch& batch, const Start& start, const TeacherForcing& forcing);

  ModelOptions options_;
  Encoder encoder_{nullptr};  // Of the two at most one is not empty.
  ImageEncoder image_encoder_{nullptr};
  Decoder decoder_{nullptr};
  Bridge bridge_{nullptr};
};
TORCH_MODULE(Model);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_MODEL_H_
