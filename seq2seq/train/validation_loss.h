// Loss and perplexity on validation data.
#ifndef SEQ2SEQ_TRAIN_VALIDATION_LOSS_H_
#define SEQ2SEQ_TRAIN_VALIDATION_LOSS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include <c10/core/Device.h>

#include "seq2seq/data/bucket.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/loader.h"
#include "seq2seq/model/model.h"
#include "seq2seq/train/memory_plan.h"
#include "seq2seq/train/process_group.h"

namespace seq2seq {

// {"loss", "perplexity"} of the reference: the negative log-likelihood per token, in nats, without
// label smoothing, and exp of it. `model` is in eval mode, on `device`; `memory` splits the batches
// of `buckets`, and `transforms` has their images or the noise, which is the same each time;
// subwords are not resampled. Costs a forward pass over `corpus`, of which each process of `group`,
// if it is not null, computes its share. Throws the exceptions of LibTorch.
absl::StatusOr<std::map<std::string, double>> ValidationLoss(
    Model model, torch::Device device, const Corpus& corpus, const BucketOptions& buckets,
    const ExampleTransforms& transforms, const MemoryPlan& memory, ProcessGroup* group);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_VALIDATION_LOSS_H_
