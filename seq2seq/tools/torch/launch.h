// Launching of training in several processes.
#ifndef SEQ2SEQ_TOOLS_TORCH_LAUNCH_H_
#define SEQ2SEQ_TOOLS_TORCH_LAUNCH_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "seq2seq/train/process_group.h"

namespace seq2seq {

// The place that a launcher gives this process in its environment; nullopt if it is the only one.
// RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as torchrun sets
// them; else the variables of srun and of Open MPI's mpirun, with MASTER_ADDR and MASTER_PORT where
// these do not tell. InvalidArgument, naming the variable, if one is missing or wrong.
absl::StatusOr<std::optional<Rendezvous>> ReadRendezvous();

// Starts this program `processes` times, with its command line but for --processes, as ranks on
// this machine, and waits for all. Passes on requests to stop (tools/signals.h). When one fails,
// the others, which notice, have `patience` seconds to end. An error names the rank that failed
// first.
absl::Status RunProcesses(int64_t processes, double patience);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_TORCH_LAUNCH_H_
