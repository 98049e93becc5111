#include "seq2seq/base/profile.h"

#include <algorithm>

namespace seq2seq {
namespace {

std::vector<double>& Seconds() {
  thread_local std::vector<double> seconds(EnumTexts(Phase()).size(), 0.0);
  return seconds;
}

}  // namespace

const std::vector<double>& PhaseSeconds() { return Seconds(); }

void ResetPhases() { std::fill(Seconds().begin(), Seconds().end(), 0.0); }

PhaseTimer::~PhaseTimer() {
  Seconds()[static_cast<size_t>(phase_)] +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

}  // namespace seq2seq
