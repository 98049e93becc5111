#include "seq2seq/search/beam.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "tests/search/toy_scorer.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Tokens = std::vector<int32_t>;

constexpr LengthNormalization kNormalizations[] = {
    LengthNormalization::kNone, LengthNormalization::kAverage, LengthNormalization::kGnmt};

BeamOptions Beam(int64_t beam, int64_t n_best = 1) {
  BeamOptions options;
  options.beam = beam;
  options.n_best = n_best;
  return options;
}

std::vector<Hypothesis> Search(const Toy& toy, uint64_t sentence, int64_t max_length,
                               const BeamOptions& options) {
  ToyScorer scorer(toy, {sentence});
  return BeamSearch(scorer, {max_length}, options)[0];
}

// Every translation of `sentence` that is allowed, best first.
std::vector<Hypothesis> AllTranslations(const Toy& toy, uint64_t sentence, int64_t max_length,
                                        const BeamOptions& options) {
  std::vector<Hypothesis> all;
  const std::function<void(const Hypothesis&)> extend = [&](const Hypothesis& hypothesis) {
    std::vector<int64_t> prefix = {kBosId};
    prefix.insert(prefix.end(), hypothesis.tokens.begin(), hypothesis.tokens.end());
    const torch::Tensor log_probs = toy.LogProbs(sentence, prefix);
    const auto length = static_cast<int64_t>(hypothesis.tokens.size());
    for (int64_t id = kEosId; id < toy.vocab; ++id) {
      Hypothesis next = hypothesis;
      next.token_scores.push_back(log_probs[id].item<float>());
      next.log_probability += next.token_scores.back();
      if (id != kEosId) {
        next.tokens.push_back(static_cast<int32_t>(id));
        if (length < max_length) extend(next);
      } else if (length >= options.min_length) {
        next.score = NormalizedScore(next.log_probability, next.tokens.size() + 1, options);
        all.push_back(next);
      }
    }
  };
  extend(Hypothesis());
  std::sort(all.begin(), all.end(),
            [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
  return all;
}

void ExpectSame(const std::vector<Hypothesis>& found, const std::vector<Hypothesis>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].tokens, expected[i].tokens) << i;
    EXPECT_NEAR(found[i].log_probability, expected[i].log_probability, 1e-9);
    EXPECT_NEAR(found[i].score, expected[i].score, 1e-9);
    EXPECT_THAT(found[i].token_scores,
                ::testing::Pointwise(::testing::DoubleNear(1e-9), expected[i].token_scores));
  }
}

TEST(BeamSearch, BeamOfAllPrefixesAgreesWithExhaustiveSearch) {
  // Three words and up to four of them: 1 + 3 + 9 + 27 + 81 translations.
  for (const LengthNormalization normalization : kNormalizations) {
    BeamOptions options = Beam(256, 256);
    options.normalization = normalization;
    for (uint64_t sentence = 0; sentence < 4; ++sentence) {
      const std::vector<Hypothesis> all = AllTranslations(Toy(), sentence, 4, options);
      ASSERT_THAT(all, SizeIs(121));
      ExpectSame(Search(Toy(), sentence, 4, options), all);
    }
  }
}

TEST(BeamSearch, BeamOfTheLongestSentencesAgreesWithExhaustiveSearchOnTheBest) {
  std::set<size_t> lengths;
  for (const LengthNormalization normalization : kNormalizations) {
    for (const int64_t min_length : {0, 2}) {
      BeamOptions options = Beam(81, 5);
      options.normalization = normalization;
      options.min_length = min_length;
      for (uint64_t sentence = 0; sentence < 8; ++sentence) {
        std::vector<Hypothesis> all = AllTranslations(Toy(), sentence, 4, options);
        all.resize(5);
        lengths.insert(all[0].tokens.size());
        ExpectSame(Search(Toy(), sentence, 4, options), all);
      }
    }
  }
  EXPECT_GT(lengths.size(), 2u);  // Or the task would be too easy.
}

TEST(BeamSearch, BeamOfOneIsGreedy) {
  constexpr int64_t kMaxLength = 6;
  std::set<size_t> lengths;
  for (uint64_t sentence = 0; sentence < 30; ++sentence) {
    Tokens expected;
    double log_probability = 0;
    std::vector<int64_t> prefix = {kBosId};
    while (true) {
      torch::Tensor log_probs = Toy().LogProbs(sentence, prefix);
      const bool full = static_cast<int64_t>(expected.size()) == kMaxLength;
      const int64_t best =
          full
              ? kEosId
              : kEosId + log_probs.narrow(0, kEosId, Toy().vocab - kEosId).argmax().item<int64_t>();
      log_probability += log_probs[best].item<float>();
      if (best == kEosId) break;
      expected.push_back(static_cast<int32_t>(best));
      prefix.push_back(best);
    }
    lengths.insert(expected.size());
    const std::vector<Hypothesis> found = Search(Toy(), sentence, kMaxLength, Beam(1));
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].tokens, expected);
    EXPECT_NEAR(found[0].log_probability, log_probability, 1e-9);
  }
  EXPECT_GT(lengths.size(), 3u);
}

TEST(BeamSearch, NBestAreSortedDifferentAndTheFirstIsTheBest) {
  for (const LengthNormalization normalization : kNormalizations) {
    for (uint64_t sentence = 0; sentence < 10; ++sentence) {
      BeamOptions options = Beam(5, 5);
      options.normalization = normalization;
      const std::vector<Hypothesis> found = Search(Toy(), sentence, 8, options);
      ASSERT_THAT(found, SizeIs(5));
      std::set<Tokens> different;
      for (size_t i = 0; i < found.size(); ++i) {
        different.insert(found[i].tokens);
        if (i > 0) {
          EXPECT_LE(found[i].score, found[i - 1].score);
        }
        EXPECT_EQ(found[i].token_scores.size(), found[i].tokens.size() + 1);
        double sum = 0;
        for (const double score : found[i].token_scores) sum += score;
        EXPECT_NEAR(found[i].log_probability, sum, 1e-9);
        EXPECT_NEAR(found[i].score, NormalizedScore(sum, found[i].token_scores.size(), options),
                    1e-9);
      }
      EXPECT_THAT(different, SizeIs(5));
      options.n_best = 1;
      ExpectSame(Search(Toy(), sentence, 8, options), {found[0]});
    }
  }
}

TEST(BeamSearch, LengthsStayWithinTheirBounds) {
  for (uint64_t sentence = 0; sentence < 10; ++sentence) {
    for (const double end_bonus : {-20.0, 20.0}) {
      Toy toy;
      toy.end_bonus = end_bonus;
      BeamOptions options = Beam(4, 4);
      options.min_length = 2;
      for (const Hypothesis& hypothesis : Search(toy, sentence, 5, options)) {
        EXPECT_GE(hypothesis.tokens.size(), 2u);
        EXPECT_LE(hypothesis.tokens.size(), 5u);
      }
      EXPECT_EQ(Search(toy, sentence, 5, options)[0].tokens.size(), end_bonus < 0 ? 5u : 2u);
    }
  }
}

TEST(BeamSearch, ScorerThatNeverEndsIsMadeToEnd) {
  for (const bool can_end : {true, false}) {
    for (const int64_t beam : {1, 3}) {
      Toy toy;
      toy.end_bonus = -50;
      toy.can_end = can_end;
      const std::vector<Hypothesis> found = Search(toy, 1, 6, Beam(beam, beam));
      ASSERT_THAT(found, SizeIs(static_cast<size_t>(beam)));
      for (const Hypothesis& hypothesis : found) EXPECT_THAT(hypothesis.tokens, SizeIs(6));
    }
  }
}

TEST(BeamSearch, NoRoomGivesTheEmptyTranslation) {
  const std::vector<Hypothesis> found = Search(Toy(), 1, 0, Beam(3, 3));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].tokens, SizeIs(0));
  EXPECT_THAT(found[0].token_scores, SizeIs(1));
}

TEST(BeamSearch, PaddingUnknownAndBeginningAreNeverSaid) {
  for (uint64_t sentence = 0; sentence < 20; ++sentence) {
    for (const Hypothesis& hypothesis : Search(Toy(), sentence, 5, Beam(6, 6))) {
      for (const int32_t token : hypothesis.tokens) EXPECT_GT(token, kEosId);
    }
  }
}

TEST(BeamSearch, FinishedSentencesLeaveTheBatch) {
  Toy toy;
  toy.end_bonus = -50;  // So that sentences end at their maximal length.
  ToyScorer scorer(toy, {1, 2, 3});
  const auto found = BeamSearch(scorer, {1, 3, 2}, Beam(2));
  EXPECT_THAT(scorer.rows_seen, ElementsAre(3, 6, 4, 2));
  EXPECT_THAT(found[0][0].tokens, SizeIs(1));
  EXPECT_THAT(found[1][0].tokens, SizeIs(3));
  EXPECT_THAT(found[2][0].tokens, SizeIs(2));
}

TEST(BeamSearch, StopsAsSoonAsAllAreFinished) {
  Toy toy;
  toy.end_bonus = 50;
  ToyScorer scorer(toy, {1, 2});
  BeamSearch(scorer, {100, 100}, Beam(1));
  EXPECT_THAT(scorer.rows_seen, ElementsAre(2));
}

TEST(BeamSearch, NeighboursChangeNothing) {
  std::vector<uint64_t> sentences;
  std::vector<int64_t> max_lengths;
  for (uint64_t sentence = 0; sentence < 12; ++sentence) {
    sentences.push_back(sentence);
    max_lengths.push_back(static_cast<int64_t>(Mix(sentence) % 9));
  }
  for (const int64_t beam : {1, 4}) {
    ToyScorer scorer(Toy(), sentences);
    const auto together = BeamSearch(scorer, max_lengths, Beam(beam, beam));
    for (size_t s = 0; s < sentences.size(); ++s) {
      ExpectSame(together[s], Search(Toy(), sentences[s], max_lengths[s], Beam(beam, beam)));
    }
  }
}

TEST(BeamSearch, NoSentencesNeedNoSteps) {
  ToyScorer scorer(Toy(), {});
  EXPECT_THAT(BeamSearch(scorer, {}, Beam(3)), SizeIs(0));
  EXPECT_THAT(scorer.rows_seen, SizeIs(0));
}

TEST(NormalizedScore, FollowsItsFormulas) {
  BeamOptions options;
  options.normalization = LengthNormalization::kNone;
  EXPECT_DOUBLE_EQ(NormalizedScore(-6, 4, options), -6);
  options.normalization = LengthNormalization::kAverage;
  EXPECT_DOUBLE_EQ(NormalizedScore(-6, 4, options), -1.5);
  options.normalization = LengthNormalization::kGnmt;
  options.gnmt_alpha = 0.6;
  EXPECT_DOUBLE_EQ(NormalizedScore(-6, 4, options), -6 / std::pow(1.5, 0.6));
  EXPECT_DOUBLE_EQ(NormalizedScore(-6, 1, options), -6);
  options.gnmt_alpha = 0;
  EXPECT_DOUBLE_EQ(NormalizedScore(-6, 40, options), -6);
}

TEST(MaxLength, IsTheRatioAndTenWithinTheBounds) {
  BeamOptions options;
  options.max_ratio = 1.5;
  options.max_length = 50;
  options.min_length = 15;
  EXPECT_EQ(MaxLength(1, options), 15);  // 1.5 and 10 would be less than min_length.
  EXPECT_EQ(MaxLength(7, options), 20);  // 10.5 + 10.
  EXPECT_EQ(MaxLength(100, options), 50);
  options.max_ratio = 1e300;
  EXPECT_EQ(MaxLength(100, options), 50);
  options.max_ratio = std::numeric_limits<double>::infinity();
  EXPECT_EQ(MaxLength(100, options), 50);
}

TEST(ValidateBeam, NamesTheKeyAndItsValue) {
  const std::pair<std::pair<std::string, std::string>, std::function<void(BeamOptions&)>>
      mistakes[] = {
          {{"beam", "0"}, [](BeamOptions& o) { o.beam = 0; }},
          {{"beam", "1001"}, [](BeamOptions& o) { o.beam = 1001; }},
          {{"n_best", "0"}, [](BeamOptions& o) { o.n_best = 0; }},
          {{"n_best", "6"}, [](BeamOptions& o) { o.n_best = 6; }},
          {{"gnmt_alpha", "-0.5"}, [](BeamOptions& o) { o.gnmt_alpha = -0.5; }},
          {{"gnmt_alpha", "nan"}, [](BeamOptions& o) { o.gnmt_alpha = std::nan(""); }},
          {{"min_length", "-1"}, [](BeamOptions& o) { o.min_length = -1; }},
          {{"min_length", "251"}, [](BeamOptions& o) { o.min_length = 251; }},
          {{"max_length", "-1"}, [](BeamOptions& o) { o.max_length = -1; }},
          {{"max_ratio", "0"}, [](BeamOptions& o) { o.max_ratio = 0; }},
      };
  EXPECT_TRUE(Validate(BeamOptions()).ok());
  for (const auto& [expected, make] : mistakes) {
    BeamOptions options;
    make(options);
    const absl::Status status = Validate(options);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << expected.first;
    EXPECT_THAT(std::string(status.message()), StartsWith(expected.first + ":"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("found " + expected.second));
  }
}

}  // namespace
}  // namespace seq2seq
