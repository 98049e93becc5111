// Web page for trying out a server.
#ifndef SEQ2SEQ_SERVE_PAGE_H_
#define SEQ2SEQ_SERVE_PAGE_H_

#include <string>

#include "seq2seq/search/search_limits.h"
#include "seq2seq/search/search_options.h"

namespace seq2seq {

// HTML that needs nothing but its server: a field for a sentence, its translations and their
// attention weights. Requests have the options `search`, whose beam can be changed on the page, and
// ask for five translations if the beam and `limits` allow so many.
std::string PageFor(const SearchOptions& search, const SearchLimits& limits);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_PAGE_H_
