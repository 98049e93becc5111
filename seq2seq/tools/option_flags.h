// Options as flags of the command line.
#ifndef SEQ2SEQ_TOOLS_OPTION_FLAGS_H_
#define SEQ2SEQ_TOOLS_OPTION_FLAGS_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "seq2seq/base/options.h"

namespace CLI {
class App;
}  // namespace CLI

namespace seq2seq {

// Adds a flag for each of `options` whose key is in `keys`, or for all if that is empty: the key
// max_length becomes --max-length, its help the flag's. What the options belong to must live until
// the program is parsed.
void AddOptionFlags(CLI::App& command, const OptionList& options,
                    absl::Span<const absl::string_view> keys = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_OPTION_FLAGS_H_
