// JSON format of requests and translations.
#ifndef SEQ2SEQ_SEARCH_TRANSLATION_JSON_H_
#define SEQ2SEQ_SEARCH_TRANSLATION_JSON_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "seq2seq/search/search_options.h"
#include "seq2seq/search/translator.h"

namespace seq2seq {

// The contents of one JSON request.
struct RequestBlock {
  std::vector<std::string> texts;
  bool is_list = false;  // Whether `text` was a list.
  bool stream = false;   // Whether to send the text as it grows.
  Request request;       // Prefix and constraints of all texts; its own text is empty.
  SearchOptions options;
  std::vector<std::string> named_options;  // The option keys that the request contained.

  // A request for each text, with a copy of `request`: for blocks whose sizes have been checked.
  std::vector<Request> Requests() const;
};

// Reads {"text": "…" or ["…", …], "stream": true, "prefix": "…", "constraints": ["…", …]}; prefix
// and constraints apply to all texts, only one text is streamed. Further keys are those of
// SearchOptions, whose defaults are `defaults`. InvalidArgument, naming the key and the beginning
// of the value, for everything else; OutOfRange for JSON of more than 100,000 values, or of nested
// lists.
absl::StatusOr<RequestBlock> ParseRequests(absl::string_view json, const SearchOptions& defaults);

// {"text", "score", "log_probability", "pieces", "token_scores"}, and with attention weights
// {"source_pieces", "alignment", "attention"}.
std::string CandidateJson(const Candidate& candidate);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_TRANSLATION_JSON_H_
