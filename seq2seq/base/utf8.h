// Checking and repairing UTF-8, which is what all text in the toolkit is.
#ifndef SEQ2SEQ_BASE_UTF8_H_
#define SEQ2SEQ_BASE_UTF8_H_

#include <string>

#include "absl/strings/string_view.h"

namespace seq2seq {

// Whether `text` is well-formed UTF-8. Linear in its length.
bool IsValidUtf8(absl::string_view text);

// Whether `text`, which is UTF-8, holds nothing but spaces, control and format characters.
bool IsBlank(absl::string_view text);

// Returns `text` with U+FFFD in place of every byte that is not part of a well-formed sequence.
std::string RepairUtf8(absl::string_view text);

// `text` repaired, with control characters but those in `kept` as "\\x1b": what a file says cannot
// move the cursor of a terminal, or end a line of a log.
std::string Printable(absl::string_view text, absl::string_view kept = "");

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_UTF8_H_
