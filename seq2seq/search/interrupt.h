// Cancellation of requests, by a deadline or a flag.
#ifndef SEQ2SEQ_SEARCH_INTERRUPT_H_
#define SEQ2SEQ_SEARCH_INTERRUPT_H_

#include <atomic>
#include <chrono>
#include <memory>

#include "absl/status/status.h"

namespace seq2seq {

// A deadline, a flag that callers share and may set at any time, both, or neither. Search checks it
// between two time steps; once raised, it stays raised.
//
//   const auto cancelled = std::make_shared<std::atomic<bool>>(false);
//   request.interrupt = {Interrupt::Clock::now() + std::chrono::seconds(10), cancelled};
struct Interrupt {
  using Clock = std::chrono::steady_clock;

  Clock::time_point deadline = Clock::time_point::max();
  std::shared_ptr<const std::atomic<bool>> cancelled = nullptr;  // Null for never.

  // Reads the clock if there is a deadline; else costs almost nothing.
  bool raised() const {
    return (cancelled != nullptr && *cancelled) ||
           (deadline != Clock::time_point::max() && deadline <= Clock::now());
  }

  // The error of interrupted work: Cancelled or DeadlineExceeded.
  absl::Status error() const {
    return cancelled != nullptr && *cancelled
               ? absl::CancelledError("the request was cancelled")
               : absl::DeadlineExceededError("the request took too long");
  }
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_INTERRUPT_H_
