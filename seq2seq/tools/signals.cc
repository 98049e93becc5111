#include "seq2seq/tools/signals.h"

#include <atomic>
#include <csignal>

namespace seq2seq {
namespace {

std::atomic<int> received = 0;

void OnSignal(int signal) {
  if (++received > 1) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

}  // namespace

void CatchStopSignals() {
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
}

bool StopRequested() { return received > 0; }

}  // namespace seq2seq
