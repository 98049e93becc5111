// log.jsonl of a run.
#ifndef SEQ2SEQ_TRAIN_RUN_LOG_H_
#define SEQ2SEQ_TRAIN_RUN_LOG_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace seq2seq {

// Takes off the log what a run that was killed had logged behind its last save, after
// `last_update`: these updates come again. Lines that are no event of an update go too.
absl::Status TruncateLog(const std::string& path, int64_t last_update);

// Appends `line`, JSON with "event" and "update".
absl::Status AppendToLog(const std::string& path, const std::string& line);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_RUN_LOG_H_
