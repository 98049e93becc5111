// Child processes that run this program.
#ifndef SEQ2SEQ_TOOLS_CHILD_PROCESS_H_
#define SEQ2SEQ_TOOLS_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seq2seq {

struct ChildCommand {
  std::vector<std::string> arguments;    // The first is the name of the program.
  std::vector<std::string> environment;  // "NAME=value"
  std::string output = "";  // File to which it appends all that it prints; that of this process if
                            // empty.
};

// The environment of this process, with "NAME=value" of `changes` in it.
std::vector<std::string> EnvironmentWith(std::vector<std::string> changes);

// Starts this executable anew. The child is its own process group, since a terminal sends its
// signals to a whole group, and a second one would end it at once; and it gets SIGTERM when the
// thread that started it is gone.
absl::StatusOr<pid_t> StartChild(ChildCommand command);

// Runs a child to its end, and returns what it prints. Aborted, with its last line, if it fails.
absl::StatusOr<std::string> RunChild(ChildCommand command);

// Runs a command of the shell with `input` on standard input, and "NAME=value" of `changes` in its
// environment; returns its standard output. Aborted if it fails.
absl::StatusOr<std::string> RunShell(const std::string& command, const std::string& input,
                                     std::vector<std::string> changes);

// The last line of what a child has printed, its error if it failed; empty if it printed nothing.
std::string LastLine(absl::string_view text);

// How a process has ended, from its wait status: "was ended by signal 9 (Killed)".
std::string DescribeEnd(int status);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_CHILD_PROCESS_H_
