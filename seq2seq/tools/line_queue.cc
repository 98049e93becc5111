#include "seq2seq/tools/line_queue.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/status_macros.h"

namespace seq2seq {

struct LineQueue::State {
  static absl::StatusOr<bool> Read(LineReader& reader, std::string& line) {
    try {
      return reader.Next(line);
    } catch (const std::exception& error) {  // Out of memory.
      return absl::ResourceExhaustedError(absl::StrCat(reader.path(), ": ", error.what()));
    }
  }

  // Reads to the end of the input.
  void Fill(size_t capacity, LineReader& reader) {
    std::string line;
    while (true) {
      const absl::StatusOr<bool> more = Read(reader, line);
      std::unique_lock<std::mutex> lock(mutex);
      if (!more.ok() || !*more) {
        status = more.status();
        ended = true;
        changed.notify_all();
        return;
      }
      changed.wait(lock, [&] { return lines.size() < capacity; });
      lines.push_back(line);
      changed.notify_all();
    }
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> lines;
  bool ended = false;
  absl::Status status;
};

LineQueue::LineQueue(std::unique_ptr<LineReader> reader, size_t capacity, LineBlocks blocks)
    : blocks_(blocks), state_(std::make_shared<State>()) {
  std::thread([state = state_, capacity, reader = std::move(reader)] {
    state->Fill(capacity, *reader);
  }).detach();
}

absl::StatusOr<std::vector<std::string>> LineQueue::Next(size_t most,
                                                         absl::FunctionRef<bool()> stop) {
  constexpr std::chrono::milliseconds kAskAgain(100);
  std::unique_lock<std::mutex> lock(state_->mutex);
  const size_t least = blocks_ == LineBlocks::kWhole ? most : 1;
  const auto ready = [&] { return state_->ended || state_->lines.size() >= least; };
  bool stopped = stop();
  while (!stopped && !state_->changed.wait_for(lock, kAskAgain, ready)) stopped = stop();
  std::vector<std::string> lines;
  if (stopped) return lines;
  while (lines.size() < most && !state_->lines.empty()) {
    lines.push_back(std::move(state_->lines.front()));
    state_->lines.pop_front();
  }
  state_->changed.notify_all();
  if (lines.empty()) SEQ2SEQ_RETURN_IF_ERROR(state_->status);
  return lines;
}

}  // namespace seq2seq
