// Peak memory of a computation.
#ifndef SEQ2SEQ_TRAIN_MEMORY_METER_H_
#define SEQ2SEQ_TRAIN_MEMORY_METER_H_

#include <cstdint>
#include <memory>

#include <c10/core/Device.h>

namespace seq2seq {

// Measures, during its lifetime, the allocations of the thread that made it on a device: tensors,
// and the kernels' blocks. Other memory of the program, and what malloc caches, is not counted, so
// that the same computation always gives the same result. Only one at a time, and no profiler of
// LibTorch beside it.
class MemoryMeter {
 public:
  explicit MemoryMeter(c10::Device device);
  ~MemoryMeter();
  MemoryMeter(const MemoryMeter&) = delete;
  MemoryMeter& operator=(const MemoryMeter&) = delete;

  // The largest number of bytes in use, beyond those at construction.
  int64_t peak() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_MEMORY_METER_H_
