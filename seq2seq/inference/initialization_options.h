// Options of the initialisation of parameters.
#ifndef SEQ2SEQ_INFERENCE_INITIALIZATION_OPTIONS_H_
#define SEQ2SEQ_INFERENCE_INITIALIZATION_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace seq2seq {

enum class Initialization { kXavier, kOrthogonal, kUniform, kZero };

inline std::vector<std::string> EnumTexts(Initialization) {
  return {"xavier", "orthogonal", "uniform", "zero"};
}

struct InitializationOptions {
  Initialization weights = Initialization::kXavier;
  Initialization recurrent = Initialization::kOrthogonal;
  double range = 0.1;
  double forget_bias = 1;

  template <typename V>
  void Visit(V&& visit) {
    visit("weights", weights,
          "Initialisation of weight matrices other than recurrent ones and embeddings. orthogonal: "
          "a random rotation (Saxe et al. 2014); xavier: keeps the variance of signals (Glorot & "
          "Bengio 2010); uniform: drawn from -range to range; zero: all zero.");
    visit("recurrent", recurrent,
          "Initialisation of recurrent matrices, as weights; for rnn_relu, orthogonal is the "
          "identity (Le et al. 2015).");
    visit("range", range,
          "Bound of uniform initialisation, from -range to range, also of embeddings. Above 0 and "
          "at most 10; 0.08 is common.");
    visit("forget_bias", forget_bias,
          "Initial bias of the forget gate, -10 to 10. With 1 or more, cells keep their state from "
          "the start of training.");
  }
};

// InvalidArgument, naming the key and its value, if `options` are invalid.
absl::Status Validate(const InitializationOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_INITIALIZATION_OPTIONS_H_
