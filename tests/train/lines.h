// Lines of text for the tests of training.
#ifndef TESTS_TRAIN_LINES_H_
#define TESTS_TRAIN_LINES_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/random.h"

namespace seq2seq {

// `count` lines of one to five words.
inline std::string Lines(int count, uint64_t seed) {
  const char* const words[] = {"a", "b", "c", "d", "e", "f"};
  std::string text;
  for (int line = 0; line < count; ++line) {
    seed = Mix(seed);
    for (uint64_t i = 0; i <= seed % 5; ++i) {
      absl::StrAppend(&text, i > 0 ? " " : "", words[Mix(seed + i) % 6]);
    }
    text += "\n";
  }
  return text;
}

}  // namespace seq2seq

#endif  // TESTS_TRAIN_LINES_H_
