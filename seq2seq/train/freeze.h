// Frozen parameters: those of train.freeze, and pretrained networks in the first updates.
#ifndef SEQ2SEQ_TRAIN_FREEZE_H_
#define SEQ2SEQ_TRAIN_FREEZE_H_

#include <vector>

#include "absl/status/status.h"

#include "seq2seq/model/parameter_group.h"
#include "seq2seq/model/parameters.h"
#include "seq2seq/train/train_options.h"

namespace seq2seq {

// Freezes the parameters of train.freeze, which names modules or parameters. InvalidArgument,
// naming the key, if a name matches no parameter, or if nothing is left to train from the first
// update on.
absl::Status Freeze(const TrainOptions& options, const std::vector<ParameterGroup>& groups);

// The parameters of pretrained networks that are fine-tuned: those that train.freeze leaves out.
TensorMap FineTuned(const TrainOptions& options, const std::vector<ParameterGroup>& groups);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_FREEZE_H_
