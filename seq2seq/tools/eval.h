// `seq2seq eval`: scores translations against references.
#ifndef SEQ2SEQ_TOOLS_EVAL_H_
#define SEQ2SEQ_TOOLS_EVAL_H_

#include "absl/status/status.h"

namespace CLI {
class App;
}  // namespace CLI

namespace seq2seq {

// Adds the subcommand to `program`. When the program is parsed with it, it runs and leaves its result in `*status`,
// which must live until then.
void AddEval(CLI::App& program, absl::Status* status);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_EVAL_H_
