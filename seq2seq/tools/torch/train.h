// The subcommand `train`.
#ifndef SEQ2SEQ_TOOLS_TORCH_TRAIN_H_
#define SEQ2SEQ_TOOLS_TORCH_TRAIN_H_

#include "absl/status/status.h"

namespace CLI {
class App;
}  // namespace CLI

namespace seq2seq {

// Adds flags and action to the subcommand `train`. Parsing a command line that names it runs it,
// and leaves its result in `*status`, which must live until then.
void DefineTrain(CLI::App& train, absl::Status* status);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_TORCH_TRAIN_H_
