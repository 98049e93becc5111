// Encoding of forced prefixes, lexical constraints and forbidden words.
#ifndef SEQ2SEQ_SEARCH_REQUEST_READER_H_
#define SEQ2SEQ_SEARCH_REQUEST_READER_H_

#include <string>

#include "absl/status/statusor.h"

#include "seq2seq/search/forbidden_words.h"
#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/kept_text.h"
#include "seq2seq/search/request.h"
#include "seq2seq/search/search_limits.h"
#include "seq2seq/search/search_options.h"
#include "seq2seq/search/vocabulary.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// What SearchOptions require of all translations.
struct CommonWishes {
  ForbiddenWords forbidden;
  KeptText kept;
};

// Checks and encodes prefixes, constraints, forbidden words and kept text. Errors are
// InvalidArgument and name the key and the text. Immutable, and so thread-safe.
class RequestReader {
 public:
  // `tokenizer` is the target tokenizer.
  explicit RequestReader(const Tokenizer& tokenizer);

  // What `options` require. This reader must outlive it.
  absl::StatusOr<CommonWishes> ReadCommon(const SearchOptions& options,
                                          const SearchLimits& limits) const;

  // The task of `request`, with the common wishes of `options`; both these and this reader must
  // outlive it. Of kept text, that which is forbidden, has no room in max_constraints or
  // max_wishes, or has characters that the target tokenizer lacks is left out, with a warning in
  // the log.
  absl::StatusOr<SearchTask> Read(const Request& request, const SearchOptions& options,
                                  const CommonWishes& common, const SearchLimits& limits) const;

 private:
  // Adds the constraints of kept text.
  void Keep(const Request& request, const CommonWishes& common, const SearchLimits& limits,
            SearchTask& task) const;
  absl::StatusOr<TokenIds> Encode(const char* key, const std::string& text) const;

  const Tokenizer tokenizer_;
  const Vocabulary vocabulary_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_REQUEST_READER_H_
