// Translations drawn at random.
#ifndef SEQ2SEQ_SEARCH_SAMPLE_H_
#define SEQ2SEQ_SEARCH_SAMPLE_H_

#include <vector>

#include "absl/types/span.h"

#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/search_options.h"

namespace seq2seq {

// Draws options.n_best translations of each sentence that `scorer` begins with, token by token from
// the `top_k` likeliest, and of these from the likeliest that have the share `top_p` together,
// sharpened by `temperature`. The same for the same seeds of options and task, whatever the
// neighbours; best first. None of a sentence whose task was interrupted, which leaves the batch
// between two time steps. Constraints have no effect.
std::vector<std::vector<Hypothesis>> Sample(Scorer& scorer, absl::Span<const SearchTask> tasks,
                                            const SearchOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SAMPLE_H_
