// Tree-structured Parzen estimator (Bergstra et al. 2011).
#ifndef SEQ2SEQ_TUNE_PARZEN_H_
#define SEQ2SEQ_TUNE_PARZEN_H_

#include <memory>

#include "seq2seq/tune/sampler.h"

namespace seq2seq {

// After ten points at random: the best tenth of the observations, 25 at most, and the rest are each
// a density, a mixture of a kernel for each of them and one of the whole range. Of 24 points drawn
// from the first density, the one with the highest ratio of the first to the second is next.
// Parameters are drawn one by one, in their order, from the observations that have them, so that
// those with conditions form a tree. Linear in the number of observations.
std::unique_ptr<const Sampler> MakeParzenSampler(const SearchSpace& space);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TUNE_PARZEN_H_
