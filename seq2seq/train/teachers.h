// Trained models whose probabilities another model learns: token-level knowledge distillation.
#ifndef SEQ2SEQ_TRAIN_TEACHERS_H_
#define SEQ2SEQ_TRAIN_TEACHERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include <c10/core/Device.h>

#include "seq2seq/data/batch.h"
#include "seq2seq/model/model.h"
#include "seq2seq/train/run_options.h"
#include "seq2seq/train/training_data.h"

namespace seq2seq {

// The models of train.teacher, an ensemble if there are several. Each reads the batches of the
// student, and so has its tokenizers; it computes in the student's precision.
class Teachers {
 public:
  // Loads them to `device`. Costs milliseconds each on the CPU, where their weights are
  // memory-mapped. InvalidArgument and the errors of FindModel and LoadModel, naming the key and
  // the run, for a model of other tokenizers or of images.
  static absl::StatusOr<Teachers> Load(const RunOptions& options, const ModelOptions& student,
                                       const Tokenizers& tokenizers, c10::Device device);

  // What they teach of a batch that is on their device: a forward pass of each.
  Distillation Teach(const Batch& batch) const;

  bool empty() const { return models_.empty(); }

  // A hash of their weights.
  uint64_t content() const { return content_; }

 private:
  std::vector<Model> models_;
  double weight_ = 0;
  double temperature_ = 1;
  uint64_t content_ = 0;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_TEACHERS_H_
