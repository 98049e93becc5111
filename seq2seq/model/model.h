// Sequence-to-sequence model: encoder, bridge and attentional decoder.
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
#include "seq2seq/model/recurrent_decoder.h"
#include "seq2seq/model/recurrent_encoder.h"
#include "seq2seq/model/image_encoder.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/model/loss.h"

namespace seq2seq {

// The kind of source. A model without one is a language model.
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
          "text: text to text, such as translation; image: captioning; none: a language model, the "
          "decoder alone with decoder.attention none.");
    visit("source_vocab", source_vocab,
          "Vocabulary size of the source; 0 uses that of the tokenizer.");
    visit("target_vocab", target_vocab,
          "Vocabulary size of the target; 0 uses that of the tokenizer.");
    visit("encoder", encoder);
    visit("image", image);
    visit("decoder", decoder);
    visit("bridge", bridge,
          "Initial decoder state. dense: a dense layer over the final encoder states; mean: a "
          "dense layer over the mean of the encoder output; copy: the final encoder output as "
          "hidden state of every layer, with decoder.hidden equal to its size and cell states of "
          "zero; zero: all zero.");
    visit("shared_embeddings", shared_embeddings,
          "Source and target share one embedding; for a joint tokenizer. With "
          "decoder.tied_embeddings the output layer shares it too.");
    visit("initialization", initialization);
  }
};

// InvalidArgument, naming the key and its value, if `options` are invalid.
absl::Status Validate(const ModelOptions& options);

// An encoder of text or images, a decoder that attends to its output, and the bridge between; or,
// without a source, the decoder alone, whose initial state is zero.
//
//   Model model(options);                                      // Validate(options) must be OK.
//   model->ComputeLoss(batch, TeacherForcing(), 0.1, 1.0).objective.backward();  // Training.
//   torch::Tensor logits = model(batch, TeacherForcing());     // All logits at once.
//
//   Model::ContainedType::Start start = model->Begin(batch);   // Search: one time step at a time.
//   const torch::Tensor first = model->decoder()->ProjectTokens(bos);
//   DecoderStep step = model->decoder()->Step(first, start.state, start.memory);
//
// Holds parameters and nothing that changes while decoding: in eval mode threads may share it.
class ModelImpl : public torch::nn::Module {
 public:
  // Throws if the file of an image network is invalid.
  explicit ModelImpl(const ModelOptions& options);

  // Logits of all target tokens of the batch without padding, sentence after sentence: [token,
  // vocab].
  torch::Tensor forward(const Batch& batch, const TeacherForcing& forcing);

  // CrossEntropy of these logits plus, in training, the penalties of the decoder, with the
  // objective multiplied by `scale`. Never holds all logits where the kernels compute.
  Loss ComputeLoss(const Batch& batch, const TeacherForcing& forcing, double smoothing,
                   double scale);

  // The inputs of the decoder at the first time step.
  struct Start {
    Memory memory;
    DecoderState state;
  };

  // Encodes the sources of a batch; without sources, only its size matters.
  Start Begin(const Batch& batch);

  // Whether the decoder's kernel computes whole targets, instead of one time step at a time.
  bool is_fused() const { return decoder_->is_fused(); }

  // How encoder and decoder compute in the current mode: "fused encoder, decoder step by step".
  std::string DescribePaths() const;

  Decoder& decoder() { return decoder_; }

  // Empty unless sources are images.
  ImageEncoder& image_encoder() { return image_encoder_; }

  const ModelOptions& options() const { return options_; }

 private:
  Encoded Encode(const Batch& batch);
  Decoded Decode(const Batch& batch, const Start& start, const TeacherForcing& forcing);

  ModelOptions options_;
  Encoder encoder_{nullptr};  // At most one of the two encoders is not empty.
  ImageEncoder image_encoder_{nullptr};
  Decoder decoder_{nullptr};
  Bridge bridge_{nullptr};
};
TORCH_MODULE(Model);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_MODEL_H_
