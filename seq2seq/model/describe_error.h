// One-line descriptions of exceptions, LibTorch's in particular.
#ifndef SEQ2SEQ_MODEL_DESCRIBE_ERROR_H_
#define SEQ2SEQ_MODEL_DESCRIBE_ERROR_H_

#include <exception>
#include <new>
#include <string>

#include <c10/util/Exception.h>

namespace seq2seq {

// The message of `error`, without the backtrace that LibTorch appends after the first line.
inline std::string Describe(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  const std::string text = of_torch != nullptr ? of_torch->what_without_backtrace() : error.what();
  return text.substr(0, text.find('\n'));
}

// Whether `error` means out of memory: on CUDA, in tensors on the CPU, or elsewhere.
inline bool IsOutOfMemory(const std::exception& error) {
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
         Describe(error).find("DefaultCPUAllocator") != std::string::npos;
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_DESCRIBE_ERROR_H_
