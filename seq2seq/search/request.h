// Translation request: source, forced prefix, lexical constraints.
#ifndef SEQ2SEQ_SEARCH_REQUEST_H_
#define SEQ2SEQ_SEARCH_REQUEST_H_

#include <functional>
#include <string>
#include <vector>

#include "seq2seq/search/interrupt.h"

namespace seq2seq {

// A line to translate, with requirements on its translation.
struct Request {
  std::string text;                      // Or the path of an image, or the beginning of a text.
  std::string prefix;                    // Forced prefix, in whole words.
  std::vector<std::string> constraints;  // Words or phrases that it contains.
  // Called, on the thread that searches, with the beginning of the best translation whenever more
  // of it is certain, and in the end with all of it: each text begins with the one before. A beam
  // is certain of the tokens that its hypotheses share; of several samples, with mbr, and with
  // replace_unknown the best one is known only at the end. Not called for an empty translation.
  std::function<void(const std::string& text)> on_text;
  Interrupt interrupt = {};  // When to give up.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_REQUEST_H_
