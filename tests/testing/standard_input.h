// Standard input for one test.
#ifndef TESTS_TESTING_STANDARD_INPUT_H_
#define TESTS_TESTING_STANDARD_INPUT_H_

#include <unistd.h>

#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace seq2seq {

// For its lifetime, standard input is what is written to it.
class StandardInput {
 public:
  StandardInput() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    EXPECT_EQ(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    in_ = ends[1];
  }
  ~StandardInput() {
    Close();
    EXPECT_EQ(dup2(before_, STDIN_FILENO), STDIN_FILENO);
    close(before_);
  }

  void Write(const std::string& text) {
    EXPECT_EQ(write(in_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void Close() { close(std::exchange(in_, -1)); }

 private:
  int before_ = dup(STDIN_FILENO);
  int in_ = -1;
};

}  // namespace seq2seq

#endif  // TESTS_TESTING_STANDARD_INPUT_H_
