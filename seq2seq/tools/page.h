// Self-contained HTML pages.
#ifndef SEQ2SEQ_TOOLS_PAGE_H_
#define SEQ2SEQ_TOOLS_PAGE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace seq2seq {

// `text` as HTML shows it, also in an attribute's value; bytes that are not UTF-8 are replaced.
std::string EscapeHtml(absl::string_view text);

// Start and end of a page, in light or dark colours as the reader's system is; between them go
// sections. `style` is CSS beside that of all pages, which has the colours --ground, --ink,
// --faint,
// --line and, as red, green and blue, --heat.
std::string PageStart(absl::string_view title, absl::string_view style);
std::string PageEnd();

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_PAGE_H_
