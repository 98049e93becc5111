// Translations or captions as a web page.
#ifndef SEQ2SEQ_TOOLS_ATTENTION_PAGE_H_
#define SEQ2SEQ_TOOLS_ATTENTION_PAGE_H_

#include <string>

#include "absl/status/statusor.h"

#include "seq2seq/search/translator.h"

namespace seq2seq {

// The parts of one self-contained HTML page that shows where the model looked for each piece that
// it said: over the image, or as a map of source against translation. Goes between a start and an
// end.
std::string PageStart(const std::string& title);
std::string PageEnd();

// What became of one sentence. A sentence without text becomes an empty section.
std::string TranslationSection(const std::string& source, const Candidate& candidate);

// What became of the image in the file `path`, which the page will hold. A file that cannot be read
// is named in its place.
std::string CaptionSection(const std::string& path, const Candidate& candidate);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_ATTENTION_PAGE_H_
