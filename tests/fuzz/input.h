// What a fuzz target is made of: the input as a file, and properties that must hold.
#ifndef TESTS_FUZZ_INPUT_H_
#define TESTS_FUZZ_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/testing/temporary_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace seq2seq {

// The same file each time, with the input in it.
inline std::string InputFile(const uint8_t* data, size_t size) {
  static const TemporaryFolder folder;
  return folder.Write("input", std::string(reinterpret_cast<const char*>(data), size));
}

// Ends the program, which is how a target fails.
inline void Require(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

}  // namespace seq2seq

#endif  // TESTS_FUZZ_INPUT_H_
