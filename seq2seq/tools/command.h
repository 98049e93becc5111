// Subcommands of the program, and its set-up of threads, memory limit and device.
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

// Each adds a subcommand to `program`. Parsing a command line that names it runs it, and leaves its
// result in `*status`, which must live until then.
void AddTokenizer(CLI::App& program, absl::Status* status);
void AddTrain(CLI::App& program, absl::Status* status);
void AddDecode(CLI::App& program, absl::Status* status);
void AddScore(CLI::App& program, absl::Status* status);
void AddEval(CLI::App& program, absl::Status* status);
void AddAverage(CLI::App& program, absl::Status* status);
void AddExport(CLI::App& program, absl::Status* status);
void AddInspect(CLI::App& program, absl::Status* status);
void AddManual(CLI::App& program, absl::Status* status);
void AddServe(CLI::App& program, absl::Status* status);  // Only in builds with SEQ2SEQ_SERVER.

// Sets the number of LibTorch's intra-op threads, 0 being one per core: on small machines LibTorch
// starts with a single one. Warns on stderr of a BLAS whose own threads compete with LibTorch's.
void SetUpThreads(int64_t threads);

// Default memory limit in bytes: nine tenths of what the control group, or the machine, has; 0, no
// limit, where the system does not report it.
int64_t UsableMemory();

// The device of the name cpu, cuda, cuda:1, …; auto is cuda where available, else cpu.
absl::StatusOr<torch::Device> ParseDevice(const std::string& name);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_COMMAND_H_
