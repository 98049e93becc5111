#include "seq2seq/train/memory_meter.h"

#include <algorithm>
#include <atomic>

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#if SEQ2SEQ_KERNELS
#include "seq2seq/kernels/caching_allocator.h"
#endif

namespace seq2seq {
namespace {

// The type of totals in LibTorch's reports: int64_t in some versions, size_t in others.
template <typename Report>
struct TotalIn;
template <typename Total>
struct TotalIn<void (c10::MemoryReportingInfoBase::*)(void*, int64_t, Total, Total, c10::Device)> {
  using Type = Total;
};
using Total = TotalIn<decltype(&c10::MemoryReportingInfoBase::reportMemoryUsage)>::Type;

// Receives LibTorch's reports of allocations (positive) and deallocations (negative). On CUDA the
// backward pass reports from other threads.
class TensorReports : public c10::MemoryReportingInfoBase {
 public:
  explicit TensorReports(c10::Device device) : device_(device) {}

  void reportMemoryUsage(void* /*memory*/, int64_t bytes, Total /*allocated*/, Total /*reserved*/,
                         c10::Device device) override {
    if (device.type() != device_.type()) return;
    const int64_t now = now_ += bytes;
    int64_t peak = peak_;
    while (now > peak && !peak_.compare_exchange_weak(peak, now)) {
    }
  }

  bool memoryProfilingEnabled() const override { return true; }

  int64_t peak() const { return peak_; }

 private:
  const c10::Device device_;
  std::atomic<int64_t> now_ = 0;
  std::atomic<int64_t> peak_ = 0;
};

}  // namespace

struct MemoryMeter::State {
  explicit State(c10::Device device)
      : tensors(std::make_shared<TensorReports>(device)),
        reporting(c10::DebugInfoKind::PROFILER_STATE, tensors) {}

  const std::shared_ptr<TensorReports> tensors;
  const c10::DebugInfoGuard reporting;
  int64_t blocks_before = 0;
};

MemoryMeter::MemoryMeter(c10::Device device) : state_(std::make_unique<State>(device)) {
#if SEQ2SEQ_KERNELS
  state_->blocks_before = static_cast<int64_t>(ResetPeakBlockBytes());
#endif
}

MemoryMeter::~MemoryMeter() = default;

int64_t MemoryMeter::peak() const {
  int64_t peak = state_->tensors->peak();
#if SEQ2SEQ_KERNELS
  // Freed blocks are kept for later blocks, not for tensors, so both peaks add up.
  peak += static_cast<int64_t>(PeakBlockBytes()) - state_->blocks_before;
#endif
  return peak;
}

}  // namespace seq2seq
