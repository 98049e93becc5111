// HTML page of translations or captions with their attention weights.
#ifndef SEQ2SEQ_TOOLS_ATTENTION_PAGE_H_
#define SEQ2SEQ_TOOLS_ATTENTION_PAGE_H_

#include <string>

#include "absl/status/statusor.h"

#include "seq2seq/search/translator.h"

namespace seq2seq {

// Start of a page (page.h); between it and PageEnd go sections, which show the attention weights of
// each generated subword: over the image, or as a matrix of translation by source.
std::string AttentionPageStart(const std::string& title);

// The section of one sentence. Without attention weights, as for an empty line, it has no matrix.
std::string TranslationSection(const std::string& source, const Candidate& candidate);

// The section of the image in the file `path`, which is embedded in the page. If the file cannot be
// read, the section names it in an error.
std::string CaptionSection(const std::string& path, const Candidate& candidate);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_ATTENTION_PAGE_H_
