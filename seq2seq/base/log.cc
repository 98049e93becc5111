#include "seq2seq/base/log.h"

#include <utility>

namespace seq2seq {
namespace {

LogSink& Sink() {
  static LogSink sink;
  return sink;
}

}  // namespace

void SetLogSink(LogSink sink) { Sink() = std::move(sink); }

void Log(LogLevel level, absl::string_view message) {
  if (Sink()) Sink()(level, message);
}

}  // namespace seq2seq
