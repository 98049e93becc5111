// Subcommands of the program.
#ifndef SEQ2SEQ_TOOLS_COMMAND_H_
#define SEQ2SEQ_TOOLS_COMMAND_H_

#include "absl/status/status.h"

namespace CLI {
class App;
}  // namespace CLI

namespace seq2seq {

// Each adds a subcommand to `program`. Parsing a command line that names it runs it, and leaves its
// result in `*status`, which must live until then.
void AddTokenizer(CLI::App& program, absl::Status* status);
void AddDecode(CLI::App& program, absl::Status* status);
void AddScore(CLI::App& program, absl::Status* status);
void AddAlign(CLI::App& program, absl::Status* status);
void AddRescore(CLI::App& program, absl::Status* status);
void AddEval(CLI::App& program, absl::Status* status);
void AddAverage(CLI::App& program, absl::Status* status);
void AddExport(CLI::App& program, absl::Status* status);
void AddInspect(CLI::App& program, absl::Status* status);
void AddReport(CLI::App& program, absl::Status* status);
void AddTune(CLI::App& program, absl::Status* status);
void AddManual(CLI::App& program, absl::Status* status);

// Only in builds with SEQ2SEQ_SERVER.
void AddServe(CLI::App& program, absl::Status* status);
void AddWatch(CLI::App& program, absl::Status* status);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_COMMAND_H_
