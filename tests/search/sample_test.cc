#include "seq2seq/search/sample.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/search/beam.h"
#include "seq2seq/search/forbidden_words.h"
#include "tests/search/toy_scorer.h"

namespace seq2seq {
namespace {

using ::testing::SizeIs;

SearchOptions Samples(int64_t count) {
  SearchOptions options;
  options.sample = true;
  options.n_best = count;
  return options;
}

SearchTask Task(int64_t max_length, uint64_t seed = 0) {
  SearchTask task;
  task.max_length = max_length;
  task.seed = seed;
  return task;
}

std::vector<Hypothesis> Draw(uint64_t sentence, const SearchTask& task,
                             const SearchOptions& options) {
  ToyScorer scorer(Toy(), {sentence});
  return Sample(scorer, {task}, options)[0];
}

// How often each first token, or the end, was drawn.
std::map<int32_t, double> Shares(const SearchOptions& options) {
  std::map<int32_t, double> shares;
  for (const Hypothesis& found : Draw(1, Task(1), options)) {
    const int32_t first = found.tokens.empty() ? kEosId : found.tokens[0];
    shares[first] += 1 / static_cast<double>(options.n_best);
  }
  return shares;
}

// The distribution of the first token at `temperature`, by token; those that are never allowed have
// no share.
std::map<int32_t, double> Expected(double temperature) {
  const std::vector<float> log_probs = Toy().LogProbs(1, {kBosId});
  std::map<int32_t, double> shares;
  double sum = 0;
  for (int32_t id = kEosId; id < static_cast<int32_t>(log_probs.size()); ++id) {
    shares[id] = std::exp(static_cast<double>(log_probs[static_cast<size_t>(id)]) / temperature);
    sum += shares[id];
  }
  for (auto& [id, share] : shares) share /= sum;
  return shares;
}

TEST(Sample, FollowsTheDistribution) {
  for (const double temperature : {1.0, 0.5, 3.0}) {
    SearchOptions options = Samples(1000);
    options.temperature = temperature;
    std::map<int32_t, double> shares = Shares(options);
    for (const auto& [id, share] : Expected(temperature)) {
      // Four standard deviations.
      EXPECT_NEAR(shares[id], share, 4 * std::sqrt(share * (1 - share) / 1000))
          << "temperature " << temperature;
    }
  }
}

TEST(Sample, ASampleStreamsItsTokensAndSeveralOnlyTheBest) {
  for (const int64_t count : {1, 3}) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      std::vector<std::vector<int32_t>> parts;
      int complete_ones = 0;
      SearchTask task = Task(8, seed);
      task.on_tokens = [&](absl::Span<const int32_t> tokens, bool complete) {
        parts.emplace_back(tokens.begin(), tokens.end());
        complete_ones += complete ? 1 : 0;
      };
      const std::vector<int32_t> tokens = Draw(1, task, Samples(count))[0].tokens;
      EXPECT_EQ(complete_ones, 1);
      ASSERT_THAT(parts, SizeIs(count == 1 ? tokens.size() + 1 : 1));
      EXPECT_EQ(parts.back(), tokens);
      for (size_t i = 0; i + 1 < parts.size(); ++i) {
        EXPECT_EQ(parts[i], std::vector<int32_t>(tokens.begin(),
                                                 tokens.begin() + static_cast<int64_t>(i + 1)));
      }
    }
  }
}

TEST(Sample, TopKAndTopPLeaveOutTheRest) {
  std::vector<std::pair<double, int32_t>> order;  // Most probable first.
  for (const auto& [id, share] : Expected(1)) order.emplace_back(share, id);
  std::sort(order.begin(), order.end(), std::greater<>());
  SearchOptions options = Samples(500);
  options.top_k = 2;
  std::map<int32_t, double> shares = Shares(options);
  EXPECT_THAT(shares, SizeIs(2));
  EXPECT_EQ(shares.count(order[0].second), 1u);
  EXPECT_EQ(shares.count(order[1].second), 1u);
  options = Samples(500);
  options.top_p = order[0].first + 0.01;  // More than the most probable one.
  EXPECT_THAT(Shares(options), SizeIs(2));
  options.top_p = 0.01;
  EXPECT_THAT(Shares(options), SizeIs(1));
}

TEST(Sample, DependsOnTheSeedsAndOnNothingElse) {
  const SearchOptions options = Samples(5);
  const auto tokens = [](const std::vector<Hypothesis>& found) {
    std::vector<TokenIds> all;
    for (const Hypothesis& hypothesis : found) all.push_back(hypothesis.tokens);
    return all;
  };
  const auto alone = tokens(Draw(7, Task(9, 3), options));
  EXPECT_EQ(tokens(Draw(7, Task(9, 3), options)), alone);
  EXPECT_NE(tokens(Draw(7, Task(9, 4), options)), alone);
  SearchOptions other = options;
  other.seed = 2;
  EXPECT_NE(tokens(Draw(7, Task(9, 3), other)), alone);
  ToyScorer scorer(Toy(), {1, 7, 2});
  EXPECT_EQ(tokens(Sample(scorer, {Task(4, 1), Task(9, 3), Task(9, 2)}, options)[1]), alone);
}

TEST(Sample, InterruptedSentencesLeaveTheBatch) {
  Toy toy;
  toy.end_bonus = -50;
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  std::vector<SearchTask> tasks = {Task(1), Task(9), Task(4)};
  tasks[0].interrupt.cancelled = tasks[1].interrupt.cancelled = cancelled;
  ToyScorer scorer(toy, {1, 2, 3});
  scorer.on_step = [&] { *cancelled = scorer.rows_seen.size() == 3; };
  const auto found = Sample(scorer, tasks, Samples(2));
  EXPECT_THAT(scorer.rows_seen, ::testing::ElementsAre(6, 6, 4, 2, 2));
  EXPECT_THAT(found[0], SizeIs(2));
  EXPECT_THAT(found[1], SizeIs(0));
  EXPECT_THAT(found[2], SizeIs(2));
}

TEST(Sample, ScoresAreThoseOfTheTokens) {
  SearchTask task = Task(6);
  task.prefix = {5, 5};
  task.min_length = 3;
  const Vocabulary words(
      std::vector<std::string>{"<pad>", "<unk>", "<s>", "</s>", "▁a", "▁b", "▁c"});
  const ForbiddenWords forbidden(std::vector<TokenIds>{{6}}, words, true);
  task.forbidden = &forbidden;
  SearchOptions options = Samples(20);
  options.temperature = 2;
  options.repetition_penalty = 1.5;
  options.normalization = LengthNormalization::kNone;
  options.coverage_penalty = 0.4;
  SearchOptions greedy;
  greedy.beam = 1;
  for (const Hypothesis& found : Draw(3, task, options)) {
    EXPECT_GE(found.tokens.size(), 3u);
    EXPECT_EQ(found.tokens[1], 5);
    EXPECT_EQ(std::count(found.tokens.begin(), found.tokens.end(), 6), 0);
    SearchTask forced = Task(0);
    forced.prefix = found.tokens;
    greedy.normalization = options.normalization;
    greedy.repetition_penalty = options.repetition_penalty;
    greedy.coverage_penalty = options.coverage_penalty;
    ToyScorer scorer(Toy(), {3});
    const Hypothesis same = BeamSearch(scorer, {forced}, greedy)[0][0];
    EXPECT_NEAR(found.log_probability, same.log_probability, 1e-5);
    EXPECT_NEAR(found.score, same.score, 1e-5);
  }
}

}  // namespace
}  // namespace seq2seq
