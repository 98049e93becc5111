// Bound on the pixels decoded at the same time.
#ifndef SEQ2SEQ_IMAGE_PIXEL_BUDGET_H_
#define SEQ2SEQ_IMAGE_PIXEL_BUDGET_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace seq2seq {

// Makes threads wait, so that the pixels that all of them hold stay within a bound. Thread-safe.
class PixelBudget {
 public:
  // Pixels held for as long as this lives.
  class Share {
   public:
    // Waits until `pixels` more are at most `most` in total, or until no pixels are held.
    Share(PixelBudget& budget, uint64_t pixels, uint64_t most) : budget_(budget), pixels_(pixels) {
      std::unique_lock<std::mutex> lock(budget_.mutex_);
      budget_.changed_.wait(lock, [&] {
        return budget_.held_ == 0 || (pixels <= most && budget_.held_ <= most - pixels);
      });
      budget_.held_ += pixels_;
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() {
      const std::lock_guard<std::mutex> lock(budget_.mutex_);
      budget_.held_ -= pixels_;
      budget_.changed_.notify_all();
    }

   private:
    PixelBudget& budget_;
    const uint64_t pixels_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t held_ = 0;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_IMAGE_PIXEL_BUDGET_H_
