// How much memory this process may use.
#ifndef SEQ2SEQ_BASE_MEMORY_LIMIT_H_
#define SEQ2SEQ_BASE_MEMORY_LIMIT_H_

#include <cstdint>
#include <string>

namespace seq2seq {

// The smallest of the limits in bytes of the control groups that this process is in, of version 1
// or 2, and of the machine's memory; 0 where the system tells neither. `root` is where /proc and
// /sys are, "" but in tests.
int64_t MemoryLimit(const std::string& root = "");

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_MEMORY_LIMIT_H_
