// Random sampling with temperature, top-k and top-p (nucleus sampling).
#ifndef SEQ2SEQ_SEARCH_SAMPLE_H_
#define SEQ2SEQ_SEARCH_SAMPLE_H_

#include <vector>

#include "absl/types/span.h"

#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/search_options.h"

namespace seq2seq {

// Draws options.n_best samples for each sentence that `scorer` was made for, token by token from
// the `top_k` most probable, and of these from the most probable ones with the total probability
// `top_p`, at `temperature`. Deterministic given the seeds of options and task, whatever else is in
// the batch; best first. Empty for an interrupted task, whose sentence leaves the batch between two
// time steps. Constraints have no effect.
std::vector<std::vector<Hypothesis>> Sample(Scorer& scorer, absl::Span<const SearchTask> tasks,
                                            const SearchOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SAMPLE_H_
