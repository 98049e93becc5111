// Profile of the training time by named phases.
#ifndef SEQ2SEQ_BASE_PROFILE_H_
#define SEQ2SEQ_BASE_PROFILE_H_

#include <chrono>
#include <string>
#include <vector>

namespace seq2seq {

// The phases of a training update. They do not overlap.
enum class Phase {
  kData,
  kSampling,
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
          "sampling outputs",
          "embedding",
          "encoder forward",
          "encoder backward",
          "decoder forward",
          "decoder backward",
          "output and loss",
          "optimizer"};
}

// The phases that an operation with a backward pass counts as.
struct PassPhases {
  Phase forward;
  Phase backward;
};
inline constexpr PassPhases kEncoderPhases = {Phase::kEncoderForward, Phase::kEncoderBackward};
inline constexpr PassPhases kDecoderPhases = {Phase::kDecoderForward, Phase::kDecoderBackward};

// Seconds spent in each phase by this thread, as measured by PhaseTimer; and their reset to zero.
const std::vector<double>& PhaseSeconds();
void ResetPhases();

// Adds its lifetime to the time of a phase. Costs two clock readings.
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
