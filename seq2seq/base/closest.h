// Suggestions for misspelt words, by edit distance.
#ifndef SEQ2SEQ_BASE_CLOSEST_H_
#define SEQ2SEQ_BASE_CLOSEST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace seq2seq {

// "; did you mean 'model.hidden'?" for "model.hiden": a suffix for error messages with the closest
// of `known` by edit distance. Empty if none is close.
std::string DidYouMean(absl::string_view word, const std::vector<std::string>& known);

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_CLOSEST_H_
