// Queue of lines that a thread reads ahead.
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

// How many lines Next returns.
enum class LineBlocks {
  kAsTheyCome,  // Those available: interactive input is answered line by line.
  kWhole,       // As many as requested, until the end of the input: the same in every run.
};

// Reads lines in a background thread.
class LineQueue {
 public:
  // Holds `capacity` lines at most.
  LineQueue(std::unique_ptr<LineReader> reader, size_t capacity, LineBlocks blocks);

  // At least one line and at most `most`, which is at most the capacity; none at the end of the
  // input, or once `stop`, which is polled, returns true.
  absl::StatusOr<std::vector<std::string>> Next(size_t most, absl::FunctionRef<bool()> stop);

 private:
  struct State;

  LineBlocks blocks_;
  // Shared with the thread, which may still be blocked on input when the program ends.
  std::shared_ptr<State> state_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_LINE_QUEUE_H_
