// Validation and repair of UTF-8, the encoding of all text in the toolkit.
#ifndef SEQ2SEQ_BASE_UTF8_H_
#define SEQ2SEQ_BASE_UTF8_H_

#include <string>

#include "absl/strings/string_view.h"

namespace seq2seq {

// Whether `text` is well-formed UTF-8. Linear in its length.
bool IsValidUtf8(absl::string_view text);

// Whether `text`, which is UTF-8, contains only spaces, control and format characters.
bool IsBlank(absl::string_view text);

// Returns `text` with U+FFFD in place of every byte that is not part of a well-formed sequence.
std::string RepairUtf8(absl::string_view text);

// `text` repaired, with control characters except those in `kept` as "\\x1b": the contents of a
// file cannot move the cursor of a terminal, or end a line of a log.
std::string Printable(absl::string_view text, absl::string_view kept = "");

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_UTF8_H_
