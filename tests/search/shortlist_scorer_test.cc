#include "seq2seq/search/shortlist_scorer.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "seq2seq/base/random.h"
#include "seq2seq/search/beam.h"
#include "seq2seq/search/ensemble_scorer.h"
#include "seq2seq/search/fusion_scorer.h"
#include "seq2seq/search/sample.h"
#include "tests/search/toy_scorer.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

constexpr size_t kVocab = 700;  // Not a multiple of a block of columns.

const TailSample kTail = {.tokens = {11, 100, 333, 698}, .log_weights = {0, 2, 3, 3.5}};

// The shortlist of a sentence, of some 50 tokens.
TokenIds OwnList(uint64_t sentence) {
  std::set<int32_t> tokens = {kEosId};
  for (uint64_t i = 0; i < 50; ++i)
    tokens.insert(static_cast<int32_t>(DeriveSeed({sentence, i}) % kVocab));
  return {tokens.begin(), tokens.end()};
}

std::vector<TokenIds> OwnLists(const std::vector<uint64_t>& sentences) {
  std::vector<TokenIds> lists;
  for (const uint64_t sentence : sentences) lists.push_back(OwnList(sentence));
  return lists;
}

// A model of another language for each seed.
std::unique_ptr<Scorer> Model(uint64_t seed, std::vector<uint64_t> sentences,
                              const BatchShortlist& shortlists) {
  Toy toy;
  toy.vocab = kVocab;
  toy.end_bonus = 3;
  for (uint64_t& sentence : sentences) sentence += 1000 * seed;
  auto scorer = std::make_unique<ToyScorer>(toy, std::move(sentences), shortlists.tokens());
  if (!shortlists.differs()) return scorer;
  return std::make_unique<ShortlistScorer>(std::move(scorer), shortlists);
}

TEST(ShortlistScorer, TheTailCountsInTheNormalizerOnly) {
  TailSample tail;
  const TokenIds own = OwnList(1);
  for (int32_t token = 0; token < static_cast<int32_t>(kVocab); ++token) {
    tail.tokens.push_back(token);  // All: the normaliser is that of the vocabulary.
    tail.log_weights.push_back(0);
  }
  const BatchShortlist shortlists({own, OwnList(2)}, kVocab, tail);
  const auto scorer = Model(0, {1, 2}, shortlists);
  const StepScores step = scorer->Step({{0, 0, kBosId}, {1, 1, kBosId}});
  EXPECT_EQ(step.row(0).tokens, absl::MakeConstSpan(own));
  ToyScorer whole({.vocab = kVocab, .end_bonus = 3}, {1});
  EXPECT_NEAR(step.row(0).normalizer, whole.Step({{0, 0, kBosId}}).row(0).normalizer, 1e-5);
  // A weight counts as so many tokens.
  const int32_t other = own[0] == 0 ? own[0] + 1 : 0;
  const BatchShortlist doubled({own}, kVocab, {.tokens = {other}, .log_weights = {1.5F}});
  ASSERT_TRUE(doubled.differs());
  const auto alone = Model(0, {1}, doubled);
  const ScoreRow row = alone->Step({{0, 0, kBosId}}).row(0);
  ToyScorer again({.vocab = kVocab, .end_bonus = 3}, {1});
  const ScoreRow all = again.Step({{0, 0, kBosId}}).row(0);
  double sum = std::exp(static_cast<double>(*all.Find(other)) + 1.5);
  for (const int32_t token : own) sum += std::exp(static_cast<double>(*all.Find(token)));
  EXPECT_NEAR(row.normalizer, std::log(sum), 1e-5);
}

TEST(ShortlistScorer, AnEnsembleOfAModelWithItselfScoresAsTheModel) {
  const std::vector<Extension> rows = {{0, 0, kBosId}, {1, 1, kBosId}};
  const BatchShortlist shortlists(OwnLists({1, 2}), kVocab, kTail);
  const auto one = Model(0, {1, 2}, shortlists);
  const StepScores expected = one->Step(rows);
  for (const EnsembleMean mean : {EnsembleMean::kProbability, EnsembleMean::kLogProbability}) {
    std::vector<std::unique_ptr<Scorer>> members;
    for (int member = 0; member < 2; ++member) members.push_back(Model(0, {1, 2}, shortlists));
    EnsembleScorer ensemble(std::move(members), mean);
    const StepScores found = ensemble.Step(rows);
    for (size_t r = 0; r < rows.size(); ++r) {
      const ScoreRow row = found.row(r), single = expected.row(r);
      EXPECT_EQ(row.tokens, single.tokens);
      for (size_t i = 0; i < row.scores.size(); ++i) {
        EXPECT_NEAR(row.scores[i] - row.normalizer, single.scores[i] - single.normalizer, 1e-5);
      }
    }
  }
}

TEST(ShortlistScorer, RowsAreScoredAsThoseOfASentenceAlone) {
  const std::vector<uint64_t> sentences = {1, 2, 3};
  std::vector<TokenIds> own = OwnLists(sentences);
  for (const bool complete : {false, true}) {
    if (complete) own[1].clear();
    const BatchShortlist shortlists(own, kVocab);
    ASSERT_TRUE(shortlists.differs());
    ASSERT_EQ(shortlists.tokens().empty(), complete);
    const auto together = Model(0, sentences, shortlists);
    EXPECT_EQ(together->batch(), 3);
    const StepScores found = together->Step({{0, 0, kBosId}, {1, 1, kBosId}, {2, 2, kBosId}});
    for (size_t s = 0; s < sentences.size(); ++s) {
      const BatchShortlist shortlist({own[s]}, kVocab);
      const auto alone = Model(0, {sentences[s]}, shortlist);
      const StepScores expected = alone->Step({{0, 0, kBosId}});
      const ScoreRow row = found.row(s), other = expected.row(0);
      EXPECT_EQ(row.tokens, absl::MakeConstSpan(own[s]));
      ASSERT_EQ(row.scores.size(), other.scores.size());
      double sum = 0;
      for (size_t i = 0; i < row.scores.size(); ++i) {
        EXPECT_EQ(row.scores[i], other.scores[i]);
        sum += std::exp(static_cast<double>(row.scores[i] - row.normalizer));
      }
      EXPECT_NEAR(sum, 1, 1e-5);
      EXPECT_NEAR(row.normalizer, other.normalizer, 1e-5);
    }
  }
}

// How the models of a search are combined.
enum class Models { kOne, kProbability, kLogProbability, kFusion };

std::unique_ptr<Scorer> Combined(Models models, const std::vector<uint64_t>& sentences,
                                 const BatchShortlist& shortlists) {
  const auto ensemble = [&](EnsembleMean mean) {
    std::vector<std::unique_ptr<Scorer>> members;
    for (const uint64_t seed : {1, 2, 3}) members.push_back(Model(seed, sentences, shortlists));
    return std::make_unique<EnsembleScorer>(std::move(members), mean);
  };
  switch (models) {
    case Models::kOne:
      return Model(1, sentences, shortlists);
    case Models::kProbability:
      return ensemble(EnsembleMean::kProbability);
    case Models::kLogProbability:
      return ensemble(EnsembleMean::kLogProbability);
    case Models::kFusion:
      return std::make_unique<FusionScorer>(Model(1, sentences, shortlists),
                                            Model(2, sentences, shortlists), 0.4);
  }
  return nullptr;
}

std::vector<std::vector<Hypothesis>> Search(Models models, const std::vector<uint64_t>& sentences,
                                            const std::vector<TokenIds>& own,
                                            const SearchOptions& options) {
  std::vector<SearchTask> tasks;
  for (const uint64_t sentence : sentences) {
    tasks.emplace_back();
    tasks.back().max_length = 6;
    tasks.back().seed = sentence;
  }
  const BatchShortlist shortlists(own, kVocab, kTail);
  const auto scorer = Combined(models, sentences, shortlists);
  return options.sample ? Sample(*scorer, tasks, options) : BeamSearch(*scorer, tasks, options);
}

// Whether every sentence is found together with the others, with `own`, as it is alone.
void ExpectAsAlone(Models models, const std::vector<uint64_t>& sentences,
                   const std::vector<TokenIds>& own, const SearchOptions& options) {
  const auto together = Search(models, sentences, own, options);
  for (size_t s = 0; s < sentences.size(); ++s) {
    const auto alone = Search(models, {sentences[s]}, {own[s]}, options)[0];
    ASSERT_EQ(together[s].size(), alone.size());
    for (size_t i = 0; i < alone.size(); ++i) {
      EXPECT_EQ(together[s][i].tokens, alone[i].tokens);
      EXPECT_NEAR(together[s][i].score, alone[i].score, 1e-4);
    }
  }
}

TEST(ShortlistScorer, SentencesAreSearchedAsIfAlone) {
  const std::vector<uint64_t> sentences = {1, 2, 3, 4, 5, 6, 7};
  for (const Models models :
       {Models::kOne, Models::kProbability, Models::kLogProbability, Models::kFusion}) {
    for (const bool sample : {false, true}) {
      SearchOptions options;
      options.sample = sample;
      options.beam = options.n_best = 4;
      std::vector<TokenIds> own = OwnLists(sentences);
      ExpectAsAlone(models, sentences, own, options);
      own[2].clear();  // The whole vocabulary.
      ExpectAsAlone(models, sentences, own, options);
      options.top_k = 3;
      ExpectAsAlone(models, sentences, own, options);
    }
  }
}

}  // namespace
}  // namespace seq2seq
