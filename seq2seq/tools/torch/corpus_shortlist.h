// Learning the lexical shortlist of a stored model, for `export --shortlist`.
#ifndef SEQ2SEQ_TOOLS_TORCH_CORPUS_SHORTLIST_H_
#define SEQ2SEQ_TOOLS_TORCH_CORPUS_SHORTLIST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "seq2seq/inference/run_folder.h"
#include "seq2seq/search/shortlist.h"

namespace seq2seq {

// Learns the shortlist of `stored` from `corpus`, SOURCE TARGET or a table, or if that is empty
// from data.train of its config.yaml; `room` is a folder for a temporary file.
absl::StatusOr<Shortlist> LearnCorpusShortlist(const StoredModel& stored,
                                               const std::vector<std::string>& corpus,
                                               const ShortlistSize& size, const std::string& room);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_TORCH_CORPUS_SHORTLIST_H_
