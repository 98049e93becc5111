#include "seq2seq/search/bayes_risk.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;

std::vector<Candidate> Candidates(const std::vector<std::pair<std::string, double>>& texts) {
  std::vector<Candidate> candidates;
  for (const auto& [text, probability] : texts) {
    Candidate& candidate = candidates.emplace_back();
    candidate.text = text;
    candidate.log_probability = std::log(probability);
  }
  return candidates;
}

std::vector<std::string> Ranked(const SearchOptions& options, std::vector<Candidate>& candidates) {
  const absl::Status status = BayesRisk(options).Rank(candidates);
  EXPECT_TRUE(status.ok()) << status;
  std::vector<std::string> texts;
  for (const Candidate& candidate : candidates) texts.push_back(candidate.text);
  return texts;
}

// The most probable one agrees with none of the others, which agree with each other.
TEST(BayesRisk, PrefersTheConsensus) {
  SearchOptions options;
  options.mbr = BayesMetric::kWer;
  auto candidates = Candidates({{"x y z", 0.4}, {"a b c", 0.3}, {"a b d", 0.3}});
  EXPECT_THAT(Ranked(options, candidates), ElementsAre("a b c", "a b d", "x y z"));
  // 0.4 of -1, 0.3 of 0 and 0.3 of -1/3.
  EXPECT_NEAR(candidates[0].score, -0.5, 1e-9);
  EXPECT_NEAR(candidates[2].score, -0.6, 1e-9);
}

TEST(BayesRisk, SamplesCountAsOftenAsTheyWereDrawn) {
  SearchOptions options;
  options.mbr = BayesMetric::kChrf;
  options.sample = true;
  // Probabilities do not count.
  auto candidates = Candidates({{"abc", 0.9}, {"xyz", 0.01}, {"xyz", 0.01}});
  EXPECT_THAT(Ranked(options, candidates), ElementsAre("xyz", "xyz", "abc"));
  EXPECT_NEAR(candidates[0].score, 2.0 / 3, 1e-9);
}

TEST(BayesRisk, EveryMetricRanks) {
  for (const BayesMetric metric :
       {BayesMetric::kChrf, BayesMetric::kBleu, BayesMetric::kCider, BayesMetric::kWer}) {
    SearchOptions options;
    options.mbr = metric;
    auto candidates =
        Candidates({{"a man runs", 0.4}, {"the dog is here", 0.3}, {"a dog is here", 0.3}});
    EXPECT_NE(Ranked(options, candidates)[0], "a man runs");
  }
}

}  // namespace
}  // namespace seq2seq
