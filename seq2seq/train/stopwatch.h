// Stopwatch.
#ifndef SEQ2SEQ_TRAIN_STOPWATCH_H_
#define SEQ2SEQ_TRAIN_STOPWATCH_H_

#include <chrono>

namespace seq2seq {

// The time since its construction.
class Stopwatch {
 public:
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_STOPWATCH_H_
