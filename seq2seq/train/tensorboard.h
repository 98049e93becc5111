// The course of training for TensorBoard.
#ifndef SEQ2SEQ_TRAIN_TENSORBOARD_H_
#define SEQ2SEQ_TRAIN_TENSORBOARD_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"

#include "seq2seq/model/parameters.h"
#include "seq2seq/train/checkpoint.h"
#include "seq2seq/train/event_file.h"
#include "seq2seq/train/progress.h"
#include "seq2seq/train/validation_sample.h"

namespace seq2seq {

// Writes event files into the folder `tensorboard` of a run: `tensorboard --logdir RUN`. A run that
// resumes adds a file, which takes the place of what earlier ones have beyond its beginning.
//
//   train/…        scalars of progress
//   valid/…        metrics of validations
//   weights/…      histograms of each parameter, gradients/… of its gradient, at validations
//   output/…       sources, references and outputs; attention/… their attention weights as images,
//                  a row for each output subword, white for 1
//
// Not thread-safe. Errors name the file.
class TensorBoard {
 public:
  TensorBoard(const std::string& run, int64_t update) : file_(run + "/tensorboard", update) {}

  absl::Status Add(const Progress& progress);
  absl::Status Add(const Validation& validation);
  absl::Status Add(int64_t update, absl::Span<const ValidationSample> samples);

  // Of parameters with their gradients, as far as these are defined. A pass over both.
  absl::Status AddHistograms(int64_t update, const TensorMap& parameters);

 private:
  EventFile file_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_TENSORBOARD_H_
