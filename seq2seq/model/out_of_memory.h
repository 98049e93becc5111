// Detection of lack of memory in exceptions of LibTorch.
#ifndef SEQ2SEQ_MODEL_OUT_OF_MEMORY_H_
#define SEQ2SEQ_MODEL_OUT_OF_MEMORY_H_

#include <exception>
#include <new>

#include <c10/util/Exception.h>

#include "seq2seq/base/describe_error.h"

namespace seq2seq {

// Whether `error` means out of memory: on CUDA, in tensors on the CPU, or elsewhere.
inline bool IsOutOfMemory(const std::exception& error) {
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
         Describe(error).find("DefaultCPUAllocator") != std::string::npos;
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_OUT_OF_MEMORY_H_
