// The page to try a server.
#ifndef SEQ2SEQ_SERVE_PAGE_H_
#define SEQ2SEQ_SERVE_PAGE_H_

#include <string>

#include "seq2seq/search/search_limits.h"
#include "seq2seq/search/search_options.h"

namespace seq2seq {

// HTML that needs nothing but the server it comes from: a field for a sentence, its translations
// and their attention weights. It asks for what `search` says, whose beam can be changed in it, and
// for five translations if the beam and `limits` have so many.
std::string PageFor(const SearchOptions& search, const SearchLimits& limits);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_PAGE_H_
