// Initial weights of a training run: transfer from another run, pre-trained word vectors.
#ifndef SEQ2SEQ_TRAIN_INITIAL_WEIGHTS_H_
#define SEQ2SEQ_TRAIN_INITIAL_WEIGHTS_H_

#include <optional>

#include "absl/status/status.h"

#include "seq2seq/model/model.h"
#include "seq2seq/train/run_options.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// Sets the weights of `model`, on the CPU, as `options` ask: first from another run, then from word
// vectors. Logs what was taken. Errors name key and file.
absl::Status SetInitialWeights(const RunOptions& options, const std::optional<Tokenizer>& source,
                               const Tokenizer& target, Model& model);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_INITIAL_WEIGHTS_H_
