// What somebody may have meant who misspelt a word.
#ifndef SEQ2SEQ_BASE_CLOSEST_H_
#define SEQ2SEQ_BASE_CLOSEST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace seq2seq {

// "; did you mean 'model.hidden'?" for "model.hiden": the one of `known` with the fewest edits, to
// be put behind an error. Empty if none is close.
std::string DidYouMean(absl::string_view word, const std::vector<std::string>& known);

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_CLOSEST_H_
