// Log messages: what the library reports besides results and errors goes to the sink that the
// program sets. Without a sink nothing is logged.
#ifndef SEQ2SEQ_BASE_LOG_H_
#define SEQ2SEQ_BASE_LOG_H_

#include <functional>

#include "absl/strings/string_view.h"

namespace seq2seq {

enum class LogLevel { kInfo, kWarning };

using LogSink = std::function<void(LogLevel, absl::string_view message)>;

// Replaces the sink. Call it before other threads use the library; the sink may be called from any
// thread.
void SetLogSink(LogSink sink);

// Passes `message`, one line without its newline, to the sink.
void Log(LogLevel level, absl::string_view message);

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_LOG_H_
