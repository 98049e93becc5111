// log.jsonl of a run.
#ifndef SEQ2SEQ_TRAIN_RUN_LOG_H_
#define SEQ2SEQ_TRAIN_RUN_LOG_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"

namespace seq2seq {

// A line of JSON for each event of a run, with "event" and "update", in the order of the updates.
// With each step that is saved it is synced, and behind the step that training goes on from it is
// cut off: so it has neither gaps nor doubles, however training ended. Not thread-safe.
class RunLog {
 public:
  explicit RunLog(std::string path) : path_(std::move(path)) {}

  // Takes off what was logged after `last_update`: these updates come again. Lines that are no
  // event of an update go too. Before the first Append.
  absl::Status Truncate(int64_t last_update);

  // Appends `line`. One that cannot be written goes with the next that can.
  absl::Status Append(const std::string& line);

  // Writes what could not be written before, and syncs.
  absl::Status Sync();

 private:
  absl::Status Write(bool sync);

  std::string path_;
  size_t size_ = 0;      // Of what is written.
  std::string pending_;  // What is not.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_RUN_LOG_H_
