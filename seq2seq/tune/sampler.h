// Samplers of hyperparameters: which point of a search space to try next.
#ifndef SEQ2SEQ_TUNE_SAMPLER_H_
#define SEQ2SEQ_TUNE_SAMPLER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "seq2seq/tune/random_stream.h"
#include "seq2seq/tune/search_space.h"

namespace seq2seq {

// grid       all points, in order
// random     points at random
// bayes      tree-structured Parzen estimator (Bergstra et al. 2011): like good points, unlike
// others evolution  regularised evolution (Real et al. 2019): a good one of the last points,
// changed
enum class SearchMethod { kGrid, kRandom, kBayes, kEvolution };

inline std::vector<std::string> EnumTexts(SearchMethod) {
  return {"grid", "random", "bayes", "evolution"};
}

// A point that was tried.
struct Observation {
  int64_t number = 0;  // Of the trial.
  Point point;
  bool failed = false;  // Diverged, or ended with an error: worse than all that did not.
  int64_t rung = 0;     // That it reached: one that was promoted is better than one that was not.
  double score = 0;     // There; higher is better.
};

// Whether `a` is the better of two different observations: of equals, the earlier one.
bool IsBetter(const Observation& a, const Observation& b);

// Thread-safe.
class Sampler {
 public:
  virtual ~Sampler() = default;

  // The point of the trial of this number, from 0, given the observations of earlier ones in the
  // order of their numbers. A pure function of these and the random numbers; nullopt where the
  // space has no further point. It may have been tried before, in a small space.
  virtual std::optional<Point> Suggest(int64_t number, const std::vector<Observation>& observations,
                                       RandomStream& random) const = 0;
};

// `space` must outlive the sampler. For grid it is finite.
std::unique_ptr<const Sampler> MakeSampler(SearchMethod method, const SearchSpace& space);

// A point at random.
Point RandomPoint(const SearchSpace& space, RandomStream& random);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TUNE_SAMPLER_H_
