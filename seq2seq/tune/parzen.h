// Tree-structured Parzen estimator (Bergstra et al. 2011).
#ifndef SEQ2SEQ_TUNE_PARZEN_H_
#define SEQ2SEQ_TUNE_PARZEN_H_

#include <memory>

#include "seq2seq/tune/sampler.h"

namespace seq2seq {

// After ten points at random: the best tenth of the observations, 25 at most, and the rest are each
// a density, a mixture of a product of kernels for each of them and one for the whole space. Of 64
// points drawn from the first density, the one with the highest ratio of the first to the second is
// next. Kernels are normal, in the unit interval of a parameter, as wide as the gap to the next
// value; where an observation lacks a parameter, the kernel is the whole range, so that those with
// conditions form a tree. Linear in the number of observations.
std::unique_ptr<const Sampler> MakeParzenSampler(const SearchSpace& space);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TUNE_PARZEN_H_
