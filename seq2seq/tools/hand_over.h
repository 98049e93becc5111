// Handing over to the executable with LibTorch: what seq2seq cannot do itself, seq2seq-torch does
// in its place, in the same process and with the same command line.
#ifndef SEQ2SEQ_TOOLS_HAND_OVER_H_
#define SEQ2SEQ_TOOLS_HAND_OVER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace CLI {
class App;
}  // namespace CLI

namespace seq2seq {

// Keeps the command line of main, which must live as long as the program, to hand it over.
void KeepArguments(char** arguments);

// The path of seq2seq-torch: in the folder of this executable, as built, or in libexec/seq2seq, as
// installed. Empty if it is in neither.
std::string TorchProgram();

// Replaces this process by seq2seq-torch. Nothing may have been read from standard input, nor
// written, by then. Returns only if that fails, with an error that begins with `need`, as "--device
// cuda needs LibTorch".
absl::Status HandOver(absl::string_view need);

// Makes `command` a subcommand that is handed over whole, --help included.
void HandOverCommand(CLI::App& command, absl::Status* status);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_HAND_OVER_H_
