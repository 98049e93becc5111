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

// How many lines are handed out.
enum class LineBlocks {
  kAsTheyCome,  // Those that are there: a person at a terminal gets an answer to each.
  kWhole,       // As many as are asked for, up to the end: the same in every run.
};

// Reads lines by a thread of its own.
class LineQueue {
 public:
  // Holds `capacity` lines at most.
  LineQueue(std::unique_ptr<LineReader> reader, size_t capacity, LineBlocks blocks);

  // At least one line and at most `most`, which is at most the capacity; none at the end, or when
  // `stop`, asked now and then, says so.
  absl::StatusOr<std::vector<std::string>> Next(size_t most, absl::FunctionRef<bool()> stop);

 private:
  struct State;

  LineBlocks blocks_;
  // Shared with the thread, which may wait for a line that never comes while the program wants to
  // end.
  std::shared_ptr<State> state_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_LINE_QUEUE_H_
