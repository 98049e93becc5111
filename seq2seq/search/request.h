// What is to be translated, and what its translation has to be like.
#ifndef SEQ2SEQ_SEARCH_REQUEST_H_
#define SEQ2SEQ_SEARCH_REQUEST_H_

#include <functional>
#include <string>
#include <vector>

#include "seq2seq/search/interrupt.h"

namespace seq2seq {

// A line with wishes.
struct Request {
  std::string text;                      // Or the path of an image, or what a text begins with.
  std::string prefix;                    // Whole words that the translation begins with.
  std::vector<std::string> constraints;  // Words, or sequences of them, that it holds.
  // Called with the words so far, as greedy search or the first sample says piece after piece.
  std::function<void(const std::string& text)> on_text;
  Interrupt interrupt = {};  // When it is not wanted any more.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_REQUEST_H_
