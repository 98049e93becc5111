// Memory limit of this process.
#ifndef SEQ2SEQ_BASE_MEMORY_LIMIT_H_
#define SEQ2SEQ_BASE_MEMORY_LIMIT_H_

#include <cstdint>
#include <string>

namespace seq2seq {

// The smallest, in bytes, of the limits of this process's control groups, version 1 or 2, and the
// machine's memory; 0 if the system reports neither. `root` is the folder of /proc and /sys, ""
// except in tests.
int64_t MemoryLimit(const std::string& root = "");

// Nine tenths of it, the default bound of a program: the rest is for what is not estimated.
inline int64_t UsableMemory() { return MemoryLimit() / 10 * 9; }

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_MEMORY_LIMIT_H_
