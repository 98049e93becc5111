// Regularised evolution (Real et al. 2019).
#ifndef SEQ2SEQ_TUNE_EVOLUTION_H_
#define SEQ2SEQ_TUNE_EVOLUTION_H_

#include <memory>

#include "seq2seq/tune/sampler.h"

namespace seq2seq {

// The population is the last 20 observations, however good: what is old dies. After 20 points at
// random, the best of five that are drawn from it, with replacement, is the parent, of which one
// parameter changes: a number by a normal step of a fifth of its range, a category to any other.
std::unique_ptr<const Sampler> MakeEvolution(const SearchSpace& space);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TUNE_EVOLUTION_H_
