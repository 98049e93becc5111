// Requests and translations as JSON.
#ifndef SEQ2SEQ_SEARCH_TRANSLATION_JSON_H_
#define SEQ2SEQ_SEARCH_TRANSLATION_JSON_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "seq2seq/search/search_options.h"
#include "seq2seq/search/translator.h"

namespace seq2seq {

// What somebody asks for in one go.
struct RequestBlock {
  std::vector<std::string> texts;
  bool is_list = false;  // Whether `text` was one.
  Request wishes;        // What holds for all of them; its own text is empty.
  SearchOptions options;
  std::vector<std::string> named_options;  // The keys of `options` that it holds.

  // A request for each text, with a copy of the wishes: for blocks whose sizes have been checked.
  std::vector<Request> Requests() const;
};

// Reads {"text": "…" or ["…", …], "prefix": "…", "constraints": ["…", …]}; prefix and constraints
// hold for all texts. Further keys are those of SearchOptions, which begin as `defaults`.
// InvalidArgument, naming the key and the beginning of the value, for everything else; OutOfRange
// for JSON of more than 100,000 values, or of lists in lists.
absl::StatusOr<RequestBlock> ParseRequests(absl::string_view json, const SearchOptions& defaults);

// {"text", "score", "log_probability", "pieces", "token_scores"}, and where there is an alignment
// {"source_pieces", "alignment", "attention"}.
std::string CandidateJson(const Candidate& candidate);

// "0-0 1-2 …": source and target of AlignWords, as Pharaoh writes them.
std::string PharaohText(const Candidate& candidate);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_TRANSLATION_JSON_H_
