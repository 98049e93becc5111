#include "seq2seq/tune/sampler.h"

#include "seq2seq/tune/evolution.h"
#include "seq2seq/tune/parzen.h"

namespace seq2seq {
namespace {

class GridSampler : public Sampler {
 public:
  explicit GridSampler(const SearchSpace& space) : space_(space) {}

  std::optional<Point> Suggest(int64_t number, const std::vector<Observation>&,
                               RandomStream&) const override {
    if (number >= space_.GridSize()) return std::nullopt;
    return space_.GridPoint(number);
  }

 private:
  const SearchSpace& space_;
};

class RandomSampler : public Sampler {
 public:
  explicit RandomSampler(const SearchSpace& space) : space_(space) {}

  std::optional<Point> Suggest(int64_t, const std::vector<Observation>&,
                               RandomStream& random) const override {
    return RandomPoint(space_, random);
  }

 private:
  const SearchSpace& space_;
};

}  // namespace

bool IsBetter(const Observation& a, const Observation& b) {
  if (a.failed != b.failed) return b.failed;
  if (a.rung != b.rung) return a.rung > b.rung;
  if (a.score != b.score) return a.score > b.score;
  return a.number < b.number;
}

Point RandomPoint(const SearchSpace& space, RandomStream& random) {
  Point point(space.size());
  for (size_t i = 0; i < space.size(); ++i) {
    if (space.IsActive(i, point)) point[i] = space.FromUnit(i, random.Uniform());
  }
  return point;
}

std::unique_ptr<const Sampler> MakeSampler(SearchMethod method, const SearchSpace& space) {
  switch (method) {
    case SearchMethod::kGrid:
      return std::make_unique<GridSampler>(space);
    case SearchMethod::kRandom:
      return std::make_unique<RandomSampler>(space);
    case SearchMethod::kBayes:
      return MakeParzenSampler(space);
    case SearchMethod::kEvolution:
      return MakeEvolution(space);
  }
  return nullptr;
}

}  // namespace seq2seq
