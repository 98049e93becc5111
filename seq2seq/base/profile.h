// Where the time goes, by named phases.
#ifndef SEQ2SEQ_BASE_PROFILE_H_
#define SEQ2SEQ_BASE_PROFILE_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace seq2seq {

// The phases of an update of training. They do not overlap.
enum class Phase {
  kData,
  kEmbedding,
  kEncoderForward,
  kEncoderBackward,
  kDecoderForward,
  kDecoderBackward,
  kLoss,
  kOptimizer,
};

inline std::vector<std::string> EnumTexts(Phase) {
  return {"data",
          "embedding",
          "encoder forward",
          "encoder backward",
          "decoder forward",
          "decoder backward",
          "output and loss",
          "optimizer"};
}

// Seconds spent in each phase by this thread, as PhaseTimers found them; and the reset to zeros.
const std::vector<double>& PhaseSeconds();
void ResetPhases();

// Counts the time of its life to a phase. Costs two readings of the clock.
class PhaseTimer {
 public:
  explicit PhaseTimer(Phase phase) : phase_(phase), start_(std::chrono::steady_clock::now()) {}
  ~PhaseTimer();
  PhaseTimer(const PhaseTimer&) = delete;
  PhaseTimer& operator=(const PhaseTimer&) = delete;

 private:
  const Phase phase_;
  const std::chrono::steady_clock::time_point start_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_PROFILE_H_
