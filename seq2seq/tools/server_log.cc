#include "seq2seq/tools/server_log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

namespace seq2seq {
namespace {

// spdlog's asynchronous logger would not do: at the end of the program it waits for the pipe.
class ServerSink : public spdlog::sinks::base_sink<std::mutex> {
 private:
  static constexpr int kWarningsPerSecond = 10;

  void sink_it_(const spdlog::details::log_msg& message) override {
    if ((message.level == spdlog::level::warn && !MayWarn()) || !IsWritable()) {
      ++dropped_;
      return;
    }
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::string text(line.data(), line.size());
    if (dropped_ > 0) text = absl::StrCat(dropped_, " log messages dropped\n", text);
    dropped_ = 0;
    // A writable pipe takes this many bytes at once.
    [[maybe_unused]] const ssize_t written =
        write(STDERR_FILENO, text.data(), std::min<size_t>(text.size(), PIPE_BUF));
  }

  void flush_() override {}

  bool MayWarn() {
    const auto now = std::chrono::steady_clock::now();
    if (now - second_ >= std::chrono::seconds(1)) {
      second_ = now;
      warnings_ = 0;
    }
    return ++warnings_ <= kWarningsPerSecond;
  }

  static bool IsWritable() {
    pollfd file = {STDERR_FILENO, POLLOUT, 0};
    return poll(&file, 1, 0) == 1 && (file.revents & POLLOUT) != 0;
  }

  int64_t dropped_ = 0;
  std::chrono::steady_clock::time_point second_;  // When counting of warnings_ began.
  int warnings_ = 0;
};

}  // namespace

void LogAsServer() {
  std::signal(SIGPIPE, SIG_IGN);  // Of a pipe whose reader has ended.
  auto sink = std::make_shared<ServerSink>();
  sink->set_pattern("%v");
  spdlog::default_logger()->sinks().front() = std::move(sink);  // That of --log stays.
}

}  // namespace seq2seq
