// Messages of the program on stderr: log lines, and on a terminal a progress bar below them.
#ifndef SEQ2SEQ_TOOLS_MESSAGES_H_
#define SEQ2SEQ_TOOLS_MESSAGES_H_

#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace seq2seq {

// Sends the library's log and spdlog's to stderr; shows tasks (base/task.h) that take more than two
// seconds as a bar, if stderr is a terminal.
void SetUpMessages();

// Adds --quiet and --log FILE to every subcommand of `program`.
void AddMessageFlags(CLI::App& program);

// Removes the bar for good, before the program ends or another writes to the terminal.
void EndProgressBar();

// "0:10:21".
std::string ClockText(double seconds);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_MESSAGES_H_
