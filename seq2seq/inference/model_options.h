// Options of sequence-to-sequence models.
#ifndef SEQ2SEQ_INFERENCE_MODEL_OPTIONS_H_
#define SEQ2SEQ_INFERENCE_MODEL_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "seq2seq/inference/decoder_options.h"
#include "seq2seq/inference/encoder_options.h"
#include "seq2seq/inference/image_encoder_options.h"
#include "seq2seq/inference/initialization_options.h"
#include "seq2seq/source/source.h"

namespace seq2seq {

// The initial states of a recurrent decoder's cells, from the encoder output. The initial
// attentional state is zero.
//
// dense  tanh(W final + b), one slice per state (Bahdanau et al. 2015)
// mean   the same with the mean of the encoder output
// copy   final as the hidden state of every layer, zero cell states; the sizes must agree
// layers the final hidden and cell state of the encoder's layer of the same number (Sutskever et
//        al. 2014), of both its directions, concatenated or summed; numbers and sizes must agree
// zero   all states are zero
enum class BridgeKind { kDense, kMean, kCopy, kLayers, kZero };

inline std::vector<std::string> EnumTexts(BridgeKind) {
  return {"dense", "mean", "copy", "layers", "zero"};
}

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
          "Initial state of a recurrent decoder. dense: a dense layer over the final encoder "
          "states; mean: a dense layer over the mean of the encoder output; copy: the final "
          "encoder output as hidden state of every layer, with decoder.hidden equal to its size "
          "and cell states of zero; layers: the final hidden and cell state of the encoder's layer "
          "of the same number, with as many layers of the same size on both sides; zero: all "
          "zero.");
    visit("shared_embeddings", shared_embeddings,
          "Source and target share one embedding; for a joint tokenizer. With "
          "decoder.tied_embeddings the output layer shares it too.");
    visit("initialization", initialization);
  }
};

// InvalidArgument, naming the key and its value, if `options` are invalid.
absl::Status Validate(const ModelOptions& options);

// Size of the encoder output; 0 without a source.
int64_t EncodedSize(const ModelOptions& options);

// The part of a model of `options` that only LibTorch computes, "image.network.kind=torchscript";
// empty if there is none.
std::string UnsupportedPart(const ModelOptions& options);

// The bridge in use: zero without a source, and without a recurrent decoder.
BridgeKind BridgeOf(const ModelOptions& options);

// Whether the decoder attends to a source.
bool HasAttention(const ModelOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_MODEL_OPTIONS_H_
