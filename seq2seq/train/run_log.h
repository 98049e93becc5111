// Event log of a run, log.jsonl.
#ifndef SEQ2SEQ_TRAIN_RUN_LOG_H_
#define SEQ2SEQ_TRAIN_RUN_LOG_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"

namespace seq2seq {

// One line of JSON for each event of a run, with "event" and "update", in the order of updates. The
// file is synced with each checkpoint, and cut after the checkpoint that training resumes from, so
// that no event is missing or repeated, however training ended. Not thread-safe.
class RunLog {
 public:
  explicit RunLog(std::string path) : path_(std::move(path)) {}

  // Removes the events after `last_update`, whose updates will be repeated, and lines that are not
  // events of an update. Call it before the first Append.
  absl::Status Truncate(int64_t last_update);

  // Appends `line`. If it cannot be written, it is written with the next one that can.
  absl::Status Append(const std::string& line);

  // Writes the lines that are pending, and syncs.
  absl::Status Sync();

 private:
  absl::Status Write(bool sync);

  std::string path_;
  size_t size_ = 0;      // Bytes written.
  std::string pending_;  // Lines not yet written.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_RUN_LOG_H_
