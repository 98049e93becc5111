// Agreement of processes: what must be the same in all that train a model together.
#ifndef SEQ2SEQ_TRAIN_PROCESS_AGREEMENT_H_
#define SEQ2SEQ_TRAIN_PROCESS_AGREEMENT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "seq2seq/train/process_group.h"
#include "seq2seq/train/training_config.h"

namespace seq2seq {

// Names of facts, such as keys of the configuration, and their values.
using Facts = std::vector<std::pair<std::string, std::string>>;

// The build, and the options of `config` but for those that belong to a machine: its paths,
// threads, memory, device and network.
Facts ConfigFacts(TrainingConfig config);

// FailedPrecondition, in every process, naming the first process whose facts are not those of rank
// 0, and the fact. All processes call it.
absl::Status CheckAgreement(const Facts& facts, ProcessGroup& group);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_PROCESS_AGREEMENT_H_
