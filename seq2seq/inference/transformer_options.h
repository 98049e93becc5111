// Options of Transformer layers.
#ifndef SEQ2SEQ_INFERENCE_TRANSFORMER_OPTIONS_H_
#define SEQ2SEQ_INFERENCE_TRANSFORMER_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "seq2seq/kernels/activation.h"

namespace seq2seq {

// Where layer normalisation stands: before each sub-layer (Xiong et al. 2020), or after its
// residual connection (Vaswani et al. 2017).
enum class NormPlacement { kPre, kPost };

inline std::vector<std::string> EnumTexts(NormPlacement) { return {"pre", "post"}; }

// How a layer learns the positions of tokens:
//
// sinusoidal  sines and cosines, added to the embeddings (Vaswani et al. 2017)
// learned     an embedding of each position, added likewise (Gehring et al. 2017)
// rotary      queries and keys of self-attention, turned by angles (Su et al. 2021)
enum class PositionKind { kSinusoidal, kLearned, kRotary };

inline std::vector<std::string> EnumTexts(PositionKind) {
  return {"sinusoidal", "learned", "rotary"};
}

// What Transformer layers have besides a size, `hidden`.
struct TransformerOptions {
  int64_t heads = 4;
  int64_t feed_forward = 1024;
  NormPlacement norm = NormPlacement::kPre;
  PositionKind positions = PositionKind::kSinusoidal;
  int64_t max_positions = 1024;
  ActivationKind activation = ActivationKind::kRelu;
  bool gated = false;
  double attention_dropout = 0;
  double activation_dropout = 0;

  template <typename V>
  void Visit(V&& visit) {
    visit("heads", heads, "Number of attention heads, a divisor of hidden.");
    visit("feed_forward", feed_forward,
          "Size of the hidden layer of the feed-forward networks; four times hidden is usual.");
    visit("norm", norm,
          "Layer normalisation before each sub-layer (pre), which trains without care, or after it "
          "(post), which needs a longer warm-up.");
    visit("positions", positions,
          "sinusoidal: added to the embeddings, of any length; learned: an embedding of each of "
          "max_positions positions; rotary: turns queries and keys of self-attention.");
    visit("max_positions", max_positions,
          "learned: the most positions of a sentence, its end included; those beyond share the "
          "last.");
    visit("activation", activation, "Activation function of the feed-forward networks.");
    visit("gated", gated,
          "Gated feed-forward networks: the activation multiplies a second hidden layer (Shazeer "
          "2020). Half as many parameters again.");
    visit("attention_dropout", attention_dropout, "Dropout rate on attention weights.");
    visit("activation_dropout", activation_dropout,
          "Dropout rate on the hidden layer of the feed-forward networks.");
  }
};

// InvalidArgument, naming the key, which begins with `prefix` ("model.encoder"), and its value, if
// an option is invalid for layers of size `hidden`.
absl::Status Validate(const TransformerOptions& options, int64_t hidden, absl::string_view prefix);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_TRANSFORMER_OPTIONS_H_
