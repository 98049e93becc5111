#include "seq2seq/tools/ending.h"

#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

namespace seq2seq {

Ending::Ending(double grace) : grace_(grace) {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  std::thread([this] { Wait(); }).detach();
}

void Ending::Watch(std::function<void()> stop) {
  const std::lock_guard<std::mutex> lock(mutex_);
  stop_ = std::move(stop);
}

void Ending::Finish() {
  const std::lock_guard<std::mutex> lock(mutex_);
  finished_ = true;
}

void Ending::Wait() {
  int signal = 0;
  sigwait(&signals_, &signal);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (finished_) return;
    if (!stop_) {
      spdlog::info("stopped while not serving");
      std::_Exit(0);
    }
    spdlog::info("finishing requests in progress");
    stop_();
  }
  timespec left = {};
  left.tv_sec = static_cast<time_t>(grace_);
  left.tv_nsec = static_cast<int64_t>((grace_ - std::floor(grace_)) * 1e9);
  while (sigtimedwait(&signals_, nullptr, &left) < 0 && errno == EINTR) {
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (finished_) return;
  spdlog::error("stopped before all requests were finished");
  std::_Exit(1);
}

}  // namespace seq2seq
