// Encoding of forced prefixes, lexical constraints and forbidden words.
#ifndef SEQ2SEQ_SEARCH_REQUEST_READER_H_
#define SEQ2SEQ_SEARCH_REQUEST_READER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "seq2seq/search/forbidden_words.h"
#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/request.h"
#include "seq2seq/search/search_limits.h"
#include "seq2seq/search/search_options.h"
#include "seq2seq/search/vocabulary.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// What SearchOptions::keep finds in a source, in order, each once. InvalidArgument, naming the
// expression, if one is invalid or too large.
absl::StatusOr<std::vector<std::string>> FindKept(const std::vector<std::string>& expressions,
                                                  const std::string& source);

// Checks and encodes prefixes, constraints and forbidden words. Errors are InvalidArgument and name
// the key and the text. Immutable, and so thread-safe.
class RequestReader {
 public:
  // `tokenizer` is the target tokenizer.
  explicit RequestReader(const Tokenizer& tokenizer);

  // The forbidden words of `options`. This reader must outlive them.
  absl::StatusOr<ForbiddenWords> ReadForbidden(const SearchOptions& options,
                                               const SearchLimits& limits) const;

  // The task of `request`, with `forbidden` of `options`; both it and this reader must outlive it.
  // Of what `options.keep` finds, that which has no room in max_constraints, or has characters that
  // the target tokenizer lacks, is left out, with a warning in the log.
  absl::StatusOr<SearchTask> Read(const Request& request, const SearchOptions& options,
                                  const ForbiddenWords& forbidden,
                                  const SearchLimits& limits) const;

 private:
  // Adds the constraints of `options.keep`.
  absl::Status Keep(const Request& request, const SearchOptions& options,
                    const ForbiddenWords& forbidden, const SearchLimits& limits,
                    SearchTask& task) const;
  absl::StatusOr<TokenIds> Encode(const char* key, const std::string& text) const;

  const Tokenizer tokenizer_;
  const Vocabulary vocabulary_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_REQUEST_READER_H_
