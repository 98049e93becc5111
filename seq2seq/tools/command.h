// What the subcommands of the program share.
#ifndef SEQ2SEQ_TOOLS_COMMAND_H_
#define SEQ2SEQ_TOOLS_COMMAND_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <torch/types.h>

namespace CLI {
class App;
}  // namespace CLI

namespace seq2seq {

// Each adds a subcommand to `program`. When the program is parsed with it, it runs and leaves its
// result in
// `*status`, which must live until then.
void AddTokenizer(CLI::App& program, absl::Status* status);
void AddTrain(CLI::App& program, absl::Status* status);
void AddDecode(CLI::App& program, absl::Status* status);
void AddScore(CLI::App& program, absl::Status* status);
void AddEval(CLI::App& program, absl::Status* status);
void AddAverage(CLI::App& program, absl::Status* status);
void AddExport(CLI::App& program, absl::Status* status);
void AddInspect(CLI::App& program, absl::Status* status);
void AddManual(CLI::App& program, absl::Status* status);
void AddServe(CLI::App& program, absl::Status* status);  // Of builds with SEQ2SEQ_SERVER.

// Sets the threads that LibTorch computes with, 0 being one a core: it starts with a single one on
// small machines. Names on stderr a BLAS whose own threads fight LibTorch's.
void SetUpThreads(int64_t threads);

// Bytes that the program may take unless told otherwise: nine tenths of what its control group, or
// the machine, has; 0, no bound, where the system does not tell.
int64_t UsableMemory();

// The device that `name` stands for: cpu, cuda, cuda:1, …; auto is cuda where there is one.
absl::StatusOr<torch::Device> ParseDevice(const std::string& name);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_COMMAND_H_
