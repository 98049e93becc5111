// The memory that computations take.
#ifndef SEQ2SEQ_TRAIN_MEMORY_METER_H_
#define SEQ2SEQ_TRAIN_MEMORY_METER_H_

#include <cstdint>
#include <memory>

#include <c10/core/Device.h>

namespace seq2seq {

// Measures, while it lives, what the thread that made it allocates on a device: tensors, and the
// kernels' blocks. What the program does besides, and what malloc keeps, does not count, so that
// the same computation always takes the same. One at a time, and no profiler of LibTorch beside it.
class MemoryMeter {
 public:
  explicit MemoryMeter(c10::Device device);
  ~MemoryMeter();
  MemoryMeter(const MemoryMeter&) = delete;
  MemoryMeter& operator=(const MemoryMeter&) = delete;

  // The most bytes that were in use, beyond those before it was made.
  int64_t peak() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_MEMORY_METER_H_
