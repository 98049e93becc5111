#include "seq2seq/search/ensemble_scorer.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "seq2seq/search/beam.h"
#include "tests/search/toy_scorer.h"

namespace seq2seq {
namespace {

constexpr size_t kVocab = 700;  // Not a multiple of a block of columns.

// Three sentences, other ones for each seed.
std::unique_ptr<Scorer> Member(uint64_t seed) {
  Toy toy;
  toy.vocab = kVocab;
  return std::make_unique<ToyScorer>(toy, std::vector<uint64_t>{seed, seed + 10, seed + 20});
}

std::unique_ptr<EnsembleScorer> Ensemble(const std::vector<uint64_t>& seeds, EnsembleMean mean) {
  std::vector<std::unique_ptr<Scorer>> members;
  for (const uint64_t seed : seeds) members.push_back(Member(seed));
  return std::make_unique<EnsembleScorer>(std::move(members), mean);
}

// The mean probabilities of a row, normalised, by definition.
std::vector<double> MeanOf(const std::vector<std::vector<float>>& log_probs, EnsembleMean mean) {
  const auto members = static_cast<double>(log_probs.size());
  std::vector<double> means(log_probs[0].size());
  double sum = 0;
  for (size_t id = 0; id < means.size(); ++id) {
    for (const std::vector<float>& member : log_probs) {
      const auto log_prob = static_cast<double>(member[id]);
      means[id] += (mean == EnsembleMean::kProbability ? std::exp(log_prob) : log_prob) / members;
    }
    if (mean == EnsembleMean::kLogProbability) means[id] = std::exp(means[id]);
    sum += means[id];
  }
  for (double& probability : means) probability /= sum;
  return means;
}

TEST(EnsembleScorer, AveragesProbabilitiesOrTheirLogs) {
  const std::vector<Extension> steps[] = {
      FirstRows(3), {{0, 0, 4}, {1, 1, 5}, {2, 2, 6}}, {{0, 0, 4}, {2, 2, 8}, {2, 2, 6}}};
  for (const EnsembleMean mean : {EnsembleMean::kProbability, EnsembleMean::kLogProbability}) {
    const auto ensemble = Ensemble({1, 2, 3}, mean);
    EXPECT_EQ(ensemble->batch(), 3);
    std::vector<std::unique_ptr<Scorer>> members;
    for (const uint64_t seed : {1, 2, 3}) members.push_back(Member(seed));
    for (const std::vector<Extension>& rows : steps) {
      std::vector<std::vector<std::vector<float>>> of_members;
      for (const auto& member : members) of_members.push_back(LogProbsOf(*member, rows));
      const auto found = LogProbsOf(*ensemble, rows);
      for (size_t row = 0; row < rows.size(); ++row) {
        const std::vector<double> expected =
            MeanOf({of_members[0][row], of_members[1][row], of_members[2][row]}, mean);
        for (size_t id = 0; id < kVocab; ++id)
          EXPECT_NEAR(static_cast<double>(found[row][id]), std::log(expected[id]), 1e-5);
      }
    }
  }
}

TEST(EnsembleScorer, OfOneModelThriceAgreesWithTheModel) {
  std::vector<SearchTask> tasks(3);
  for (SearchTask& task : tasks) task.max_length = 8;
  const auto alone = BeamSearch(*Member(1), tasks, {});
  for (const EnsembleMean mean : {EnsembleMean::kProbability, EnsembleMean::kLogProbability}) {
    const auto thrice = BeamSearch(*Ensemble({1, 1, 1}, mean), tasks, {});
    for (size_t i = 0; i < alone.size(); ++i) {
      EXPECT_EQ(alone[i][0].tokens, thrice[i][0].tokens);
      EXPECT_NEAR(alone[i][0].score, thrice[i][0].score, 1e-5);
    }
  }
}

// A member of twice the weight counts as two.
TEST(EnsembleScorer, WeighsItsMembers) {
  for (const EnsembleMean mean : {EnsembleMean::kProbability, EnsembleMean::kLogProbability}) {
    std::vector<std::unique_ptr<Scorer>> members;
    for (const uint64_t seed : {1, 2}) members.push_back(Member(seed));
    EnsembleScorer weighted(std::move(members), mean, {1.0 / 3, 2.0 / 3});
    const auto repeated = Ensemble({1, 2, 2}, mean);
    const auto expected = LogProbsOf(*repeated, FirstRows(3));
    const auto found = LogProbsOf(weighted, FirstRows(3));
    for (size_t row = 0; row < 3; ++row) {
      for (size_t id = 0; id < kVocab; ++id) EXPECT_NEAR(found[row][id], expected[row][id], 1e-5F);
    }
  }
}

TEST(EnsembleScorer, OneMemberCanRuleOutATokenOnlyWithLogProbabilities) {
  const auto ensemble = [](const std::vector<bool>& can_end, EnsembleMean mean) {
    std::vector<std::unique_ptr<Scorer>> members;
    for (const bool ends : can_end) {
      Toy toy;
      toy.can_end = ends;
      members.push_back(std::make_unique<ToyScorer>(toy, std::vector<uint64_t>{1}));
    }
    EnsembleScorer scorer(std::move(members), mean);
    return LogProbsOf(scorer, FirstRows(1))[0][kEosId];
  };
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  EXPECT_GT(ensemble({true, false}, EnsembleMean::kProbability), kNever);
  EXPECT_EQ(ensemble({true, false}, EnsembleMean::kLogProbability), kNever);
  for (const EnsembleMean mean : {EnsembleMean::kProbability, EnsembleMean::kLogProbability})
    EXPECT_EQ(ensemble({false, false}, mean), kNever);
}

}  // namespace
}  // namespace seq2seq
