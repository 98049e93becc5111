// Lines read ahead.
#ifndef SEQ2SEQ_TOOLS_LINE_QUEUE_H_
#define SEQ2SEQ_TOOLS_LINE_QUEUE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

#include "seq2seq/base/line_reader.h"

namespace seq2seq {

// Reads lines by a thread of its own: whoever asks gets those that are there, so that a person at a
// terminal gets an answer to one line and a file is searched in large blocks.
class LineQueue {
 public:
  // Holds `capacity` lines at most.
  LineQueue(std::unique_ptr<LineReader> reader, size_t capacity);

  // The lines that are there, at least one and at most `most`, as soon as there is one; none at the
  // end, or when `stop`, asked now and then, says so.
  absl::StatusOr<std::vector<std::string>> Next(size_t most, absl::FunctionRef<bool()> stop);

 private:
  struct State;

  // Shared with the thread, which may wait for a line that never comes while the program wants to
  // end.
  std::shared_ptr<State> state_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_LINE_QUEUE_H_
