// Beam search.
#ifndef SEQ2SEQ_SEARCH_BEAM_H_
#define SEQ2SEQ_SEARCH_BEAM_H_

#include <vector>

#include "absl/types/span.h"

#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/search_options.h"

namespace seq2seq {

// Translates the sentences that `scorer` was made for, with one task each. Returns the n-best list
// of each, best first: at least one hypothesis, and fewer than n only if there are no more. The
// list of an interrupted task is empty; its sentence leaves the batch between two time steps.
//
// Each time step takes the 2 x beam best continuations of a sentence's hypotheses. Those among the
// first `beam` that end are finished; the best `beam` that do not end stay alive. A sentence is
// done with `beam` finished hypotheses, or when no other can win; with constraints, the beam is
// divided among hypotheses by the number of constraint tokens that they contain (Post & Vilar
// 2018). At the maximum length every hypothesis is forced to end, so at least one finishes. The
// result of a sentence does not depend on the others in the batch. Costs a step of the scorer for
// each token of the longest translation, over the live rows.
std::vector<std::vector<Hypothesis>> BeamSearch(Scorer& scorer, absl::Span<const SearchTask> tasks,
                                                const SearchOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_BEAM_H_
