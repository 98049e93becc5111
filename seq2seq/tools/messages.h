// Messages of the program on stderr: log lines, and on a terminal a progress bar below them.
#ifndef SEQ2SEQ_TOOLS_MESSAGES_H_
#define SEQ2SEQ_TOOLS_MESSAGES_H_

#include <cstddef>
#include <string>

#include "seq2seq/base/task.h"

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

// The bar of a task in a terminal of some columns, without color or newline:
// "decoding [#####.....] 50% 500 of 1,000 lines, 0:00:12 left".
std::string ProgressBarText(const TaskState& task, size_t columns);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_MESSAGES_H_
