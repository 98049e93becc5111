// Beam search.
#ifndef SEQ2SEQ_SEARCH_BEAM_H_
#define SEQ2SEQ_SEARCH_BEAM_H_

#include <vector>

#include "absl/types/span.h"

#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/search_options.h"

namespace seq2seq {

// Searches translations of the sentences that `scorer` begins with, a task for each. Returns the n
// best of each, best first: at least one, and fewer than n only if there are no more; none of a
// sentence whose task was interrupted, which leaves the batch between two time steps.
//
// Each step takes the 2 x beam best continuations of a sentence's hypotheses. Those among the first
// `beam` that end are finished; the best `beam` that do not end live on. A sentence is done with
// `beam` finished hypotheses, or when no other can win; with constraints, the beam is shared out
// among hypotheses by how many of their tokens they hold (Post & Vilar 2018). At the maximal length
// every hypothesis is made to end, so one always does. What a sentence becomes does not depend on
// its neighbours. Costs a step of the scorer for each token of the longest translation, over the
// rows that are alive.
std::vector<std::vector<Hypothesis>> BeamSearch(Scorer& scorer, absl::Span<const SearchTask> tasks,
                                                const SearchOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_BEAM_H_
