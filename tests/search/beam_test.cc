#include "seq2seq/search/beam.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/search/forbidden_words.h"
#include "seq2seq/search/ranking.h"
#include "tests/search/toy_scorer.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::SizeIs;

using Tokens = std::vector<int32_t>;

constexpr LengthNormalization kNormalizations[] = {
    LengthNormalization::kNone, LengthNormalization::kAverage, LengthNormalization::kGnmt,
    LengthNormalization::kPower, LengthNormalization::kReward};

SearchOptions Beam(int64_t beam, int64_t n_best = 1) {
  SearchOptions options;
  options.beam = beam;
  options.n_best = n_best;
  return options;
}

SearchTask Task(int64_t max_length, int64_t min_length = 0) {
  SearchTask task;
  task.max_length = max_length;
  task.min_length = min_length;
  return task;
}

std::vector<Hypothesis> Search(const Toy& toy, uint64_t sentence, const SearchTask& task,
                               const SearchOptions& options) {
  ToyScorer scorer(toy, {sentence});
  return BeamSearch(scorer, {task}, options)[0];
}

std::vector<Hypothesis> Search(const Toy& toy, uint64_t sentence, int64_t max_length,
                               const SearchOptions& options) {
  return Search(toy, sentence, Task(max_length, options.min_length), options);
}

bool Holds(const Tokens& tokens, const Tokens& sequence) {
  return std::search(tokens.begin(), tokens.end(), sequence.begin(), sequence.end()) !=
         tokens.end();
}

// Whether a finished hypothesis satisfies the task and the options.
bool IsAllowed(const Tokens& tokens, const SearchTask& task, const SearchOptions& options) {
  if (static_cast<int64_t>(tokens.size()) < task.min_length) return false;
  for (size_t i = 0; i < task.prefix.size(); ++i) {
    if (i >= tokens.size() || tokens[i] != task.prefix[i]) return false;
  }
  for (const Tokens& constraint : task.constraints) {
    if (!Holds(tokens, constraint)) return false;
  }
  if (task.forbidden != nullptr && !task.forbidden->Find(tokens).empty()) return false;
  const auto n = static_cast<size_t>(options.no_repeat_ngram);
  std::set<Tokens> seen;
  for (size_t i = 0; n > 0 && i + n <= tokens.size(); ++i) {
    const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(i);
    if (!seen.insert(Tokens(begin, begin + static_cast<std::ptrdiff_t>(n))).second) return false;
  }
  return true;
}

// Every translation of `sentence` that is allowed, best first.
std::vector<Hypothesis> AllTranslations(const Toy& toy, uint64_t sentence, const SearchTask& task,
                                        const SearchOptions& options) {
  struct Path {
    Hypothesis hypothesis;
    double total = 0;
    std::vector<float> coverage = {0, 0, 0};
  };
  std::vector<Hypothesis> all;
  const std::function<void(const Path&)> extend = [&](const Path& path) {
    const Tokens& generated = path.hypothesis.tokens;
    Tokens prefix = {kBosId};
    prefix.insert(prefix.end(), generated.begin(), generated.end());
    const std::vector<float> log_probs = toy.LogProbs(sentence, prefix);
    for (size_t id = kEosId; id < toy.vocab; ++id) {
      Path next = path;
      const auto score = static_cast<double>(log_probs[id]);
      const bool repeated = Holds(generated, {static_cast<int32_t>(id)});
      next.hypothesis.token_scores.push_back(score);
      next.hypothesis.log_probability += score;
      next.total += repeated ? options.repetition_penalty * score : score;
      next.coverage[static_cast<size_t>(prefix.back() % 3)] += 1;
      if (id != kEosId) {
        next.hypothesis.tokens.push_back(static_cast<int32_t>(id));
        if (static_cast<int64_t>(generated.size()) < task.max_length) extend(next);
      } else if (IsAllowed(generated, task, options)) {
        next.hypothesis.score =
            NormalizedScore(next.total, static_cast<int64_t>(generated.size()) + 1, options) +
            options.coverage_penalty * CoverageScore(next.coverage);
        all.push_back(next.hypothesis);
      }
    }
  };
  extend(Path());
  std::sort(all.begin(), all.end(),
            [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
  return all;
}

std::vector<Hypothesis> AllTranslations(const Toy& toy, uint64_t sentence, int64_t max_length,
                                        const SearchOptions& options) {
  return AllTranslations(toy, sentence, Task(max_length, options.min_length), options);
}

void ExpectSame(const std::vector<Hypothesis>& found, const std::vector<Hypothesis>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].tokens, expected[i].tokens) << i;
    EXPECT_NEAR(found[i].log_probability, expected[i].log_probability, 1e-5);
    EXPECT_NEAR(found[i].score, expected[i].score, 1e-5);
    EXPECT_THAT(found[i].token_scores,
                ::testing::Pointwise(::testing::DoubleNear(1e-5), expected[i].token_scores));
  }
}

TEST(BeamSearch, BeamOfAllPrefixesAgreesWithExhaustiveSearch) {
  // Three words and up to four of them: 1 + 3 + 9 + 27 + 81 translations.
  for (const LengthNormalization normalization : kNormalizations) {
    SearchOptions options = Beam(256, 256);
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
      SearchOptions options = Beam(81, 5);
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
    Tokens prefix = {kBosId};
    while (true) {
      const std::vector<float> log_probs = Toy().LogProbs(sentence, prefix);
      const bool full = static_cast<int64_t>(expected.size()) == kMaxLength;
      const auto best = std::max_element(log_probs.begin() + kEosId,
                                         full ? log_probs.begin() + kEosId + 1 : log_probs.end());
      const auto token = static_cast<int32_t>(best - log_probs.begin());
      log_probability += static_cast<double>(*best);
      if (token == kEosId) break;
      expected.push_back(token);
      prefix.push_back(token);
    }
    lengths.insert(expected.size());
    const std::vector<Hypothesis> found = Search(Toy(), sentence, kMaxLength, Beam(1));
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].tokens, expected);
    EXPECT_NEAR(found[0].log_probability, log_probability, 1e-5);
  }
  EXPECT_GT(lengths.size(), 3u);
}

TEST(BeamSearch, NBestAreSortedDifferentAndTheFirstIsTheBest) {
  for (const LengthNormalization normalization : kNormalizations) {
    for (uint64_t sentence = 0; sentence < 10; ++sentence) {
      SearchOptions options = Beam(5, 5);
      options.normalization = normalization;
      options.length_reward = 0.3;
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
        EXPECT_NEAR(found[i].score,
                    NormalizedScore(sum, static_cast<int64_t>(found[i].tokens.size()) + 1, options),
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
      SearchOptions options = Beam(4, 4);
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

TEST(BeamSearch, PaddingUnknownAndBeginningAreNeverGenerated) {
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
  const auto found = BeamSearch(scorer, {Task(1), Task(3), Task(2)}, Beam(2));
  EXPECT_THAT(scorer.rows_seen, ElementsAre(3, 6, 4, 2));
  EXPECT_THAT(found[0][0].tokens, SizeIs(1));
  EXPECT_THAT(found[1][0].tokens, SizeIs(3));
  EXPECT_THAT(found[2][0].tokens, SizeIs(2));
}

TEST(BeamSearch, InterruptedSentencesLeaveTheBatch) {
  Toy toy;
  toy.end_bonus = -50;  // So that sentences end at their maximal length.
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  std::vector<SearchTask> tasks = {Task(1), Task(9), Task(4), Task(9)};
  tasks[0].interrupt.cancelled = cancelled;  // Is done before.
  tasks[1].interrupt.cancelled = cancelled;
  tasks[1].prefix = {4, 4, 4, 4, 4, 4};
  tasks[3].interrupt.deadline = Interrupt::Clock::now();
  ToyScorer scorer(toy, {1, 2, 3, 4});
  scorer.on_step = [&] { *cancelled = scorer.rows_seen.size() == 3; };
  const auto found = BeamSearch(scorer, tasks, Beam(2));
  EXPECT_THAT(scorer.rows_seen, ElementsAre(4, 5, 3, 2, 2));
  EXPECT_THAT(found[0], SizeIs(1));
  EXPECT_THAT(found[1], SizeIs(0));
  ExpectSame(found[2], Search(toy, 3, Task(4), Beam(2)));
  EXPECT_THAT(found[3], SizeIs(0));
  EXPECT_TRUE(absl::IsDeadlineExceeded(tasks[3].interrupt.error()));
}

TEST(BeamSearch, StopsAsSoonAsAllAreFinished) {
  Toy toy;
  toy.end_bonus = 50;
  ToyScorer scorer(toy, {1, 2});
  BeamSearch(scorer, {Task(100), Task(100)}, Beam(1));
  EXPECT_THAT(scorer.rows_seen, ElementsAre(2));
}

TEST(BeamSearch, NeighboursChangeNothing) {
  std::vector<uint64_t> sentences;
  std::vector<SearchTask> tasks;
  for (uint64_t sentence = 0; sentence < 12; ++sentence) {
    sentences.push_back(sentence);
    tasks.push_back(Task(static_cast<int64_t>(Mix(sentence) % 9)));
    if (sentence % 3 == 0) tasks.back().prefix = {5, 4};
    if (sentence % 4 == 0) tasks.back().constraints = {{6, 4}};
  }
  for (const int64_t beam : {1, 4}) {
    ToyScorer scorer(Toy(), sentences);
    const auto together = BeamSearch(scorer, tasks, Beam(beam, beam));
    for (size_t s = 0; s < sentences.size(); ++s) {
      ExpectSame(together[s], Search(Toy(), sentences[s], tasks[s], Beam(beam, beam)));
    }
  }
}

TEST(BeamSearch, NoSentencesNeedNoSteps) {
  ToyScorer scorer(Toy(), {});
  EXPECT_THAT(BeamSearch(scorer, {}, Beam(3)), SizeIs(0));
  EXPECT_THAT(scorer.rows_seen, SizeIs(0));
}

// The three words of the toy.
const ForbiddenWords* Forbid(const std::vector<Tokens>& phrases) {
  static const Vocabulary words(
      std::vector<std::string>{"<pad>", "<unk>", "<s>", "</s>", "▁a", "▁b", "▁c"});
  static std::vector<std::unique_ptr<ForbiddenWords>> kept;
  kept.push_back(std::make_unique<ForbiddenWords>(phrases, words, true));
  return kept.back().get();
}

// Penalties and constraints, each alone and all at once.
struct Wish {
  const char* name;
  std::function<void(SearchOptions&, SearchTask&)> make;
};

const Wish kWishes[] = {
    {"coverage", [](auto& options, auto&) { options.coverage_penalty = 0.4; }},
    {"repetition", [](auto& options, auto&) { options.repetition_penalty = 1.7; }},
    {"ngrams", [](auto& options, auto&) { options.no_repeat_ngram = 2; }},
    {"words", [](auto& options, auto&) { options.no_repeat_ngram = 1; }},
    {"prefix",
     [](auto&, auto& task) {
       task.prefix = {6, 5};
     }},
    {"forbidden",
     [](auto&, auto& task) {
       task.forbidden = Forbid({{4}, {5, 6}});
     }},
    {"constraint", [](auto&, auto& task) { task.constraints = {{5}}; }},
    {"phrases",
     [](auto&, auto& task) {
       task.constraints = {{6, 4}, {5}};
     }},
    {"all",
     [](auto& options, auto& task) {
       options.coverage_penalty = 0.2;
       options.repetition_penalty = 1.3;
       options.no_repeat_ngram = 3;
       task.prefix = {4};
       task.forbidden = Forbid({{5, 5}});
       task.constraints = {{6}};
     }},
};

TEST(BeamSearch, WideBeamAgreesWithExhaustiveSearchUnderEveryWish) {
  for (const Wish& wish : kWishes) {
    for (const Stopping stopping : {Stopping::kFinished, Stopping::kExact}) {
      for (uint64_t sentence = 0; sentence < 5; ++sentence) {
        SCOPED_TRACE(std::string(wish.name) + " of sentence " + std::to_string(sentence));
        SearchOptions options = Beam(600, 4);
        options.stopping = stopping;
        SearchTask task = Task(4, 1);
        wish.make(options, task);
        std::vector<Hypothesis> all = AllTranslations(Toy(), sentence, task, options);
        ASSERT_THAT(all, Not(SizeIs(0)));
        all.resize(std::min<size_t>(all.size(), 4));
        ExpectSame(Search(Toy(), sentence, task, options), all);
      }
    }
  }
}

TEST(BeamSearch, WishesAreMetByNarrowBeams) {
  for (const Wish& wish : kWishes) {
    for (const int64_t beam : {1, 2, 5}) {
      for (uint64_t sentence = 0; sentence < 20; ++sentence) {
        SearchOptions options = Beam(beam, beam);
        SearchTask task = Task(7, 2);
        wish.make(options, task);
        for (const Hypothesis& found : Search(Toy(), sentence, task, options)) {
          EXPECT_TRUE(IsAllowed(found.tokens, task, options)) << wish.name << ", beam " << beam;
          EXPECT_LE(found.tokens.size(), 7u);
        }
      }
    }
  }
}

TEST(BeamSearch, ConstraintsFindRoomHoweverShortItIs) {
  SearchTask task = Task(1);
  task.constraints = {{4, 4, 5}, {6}};
  task.prefix = {5};
  for (const int64_t beam : {1, 3}) {
    for (uint64_t sentence = 0; sentence < 10; ++sentence) {
      for (const Hypothesis& found : Search(Toy(), sentence, task, Beam(beam, beam))) {
        EXPECT_TRUE(IsAllowed(found.tokens, task, Beam(beam)));
        EXPECT_THAT(found.tokens, SizeIs(5));
      }
    }
  }
}

// A toy with two subwords that spell a third one, and tasks with whole words.
struct WholeWordsTest : ::testing::Test {
  static std::string Text(const Tokens& tokens) {
    const char* const texts[] = {" a", "b", " ab"};
    std::string text;
    for (const int32_t token : tokens) text += texts[token - kEosId - 1];
    return text + " ";
  }

  // Searches with a beam of all translations, those whose text satisfies `is_wanted`.
  void ExpectAll(const SearchTask& task, const std::function<bool(const Tokens&)>& is_wanted) {
    for (uint64_t sentence = 0; sentence < 5; ++sentence) {
      std::vector<Hypothesis> expected;
      for (const Hypothesis& one : AllTranslations(Toy(), sentence, Task(4), Beam(1))) {
        if (is_wanted(one.tokens)) expected.push_back(one);
      }
      ASSERT_GT(expected.size(), 5u);
      ASSERT_LT(expected.size(), 121u);
      ExpectSame(Search(Toy(), sentence, task, Beam(600, 600)), expected);
      for (const int64_t beam : {1, 2, 5}) {
        for (const Hypothesis& one : Search(Toy(), sentence, task, Beam(beam, beam)))
          EXPECT_TRUE(is_wanted(one.tokens)) << Text(one.tokens) << "of beam " << beam;
      }
    }
  }

  static constexpr int32_t kA = 4, kB = 5, kAb = 6;
  const Vocabulary vocabulary_{
      std::vector<std::string>{"<pad>", "<unk>", "<s>", "</s>", "▁a", "b", "▁ab"}};
};

TEST_F(WholeWordsTest, PrefixesEndWithAWord) {
  SearchTask task = Task(4);
  task.prefix = {kA, kB};
  task.vocabulary = &vocabulary_;
  task.whole_prefix = true;
  ExpectAll(task, [&](const Tokens& tokens) {
    return tokens.size() >= 2 && Tokens(tokens.begin(), tokens.begin() + 2) == task.prefix &&
           (tokens.size() == 2 || tokens[2] != kB);
  });
}

TEST_F(WholeWordsTest, ConstraintsAreWords) {
  SearchTask task = Task(4);
  task.vocabulary = &vocabulary_;
  for (const Tokens& constraint : {Tokens{kAb}, Tokens{kA, kB}, Tokens{kA, kAb}}) {
    task.constraints = {constraint};
    ExpectAll(task, [&](const Tokens& tokens) {
      auto found = tokens.begin();
      while (true) {
        found = std::search(found, tokens.end(), constraint.begin(), constraint.end());
        if (found == tokens.end()) return false;
        const auto end = found + static_cast<std::ptrdiff_t>(constraint.size());
        if (end == tokens.end() || *end != kB) return true;
        ++found;
      }
    });
  }
}

TEST_F(WholeWordsTest, ForbiddenWordsDoNotComeHoweverTheyAreSpelt) {
  SearchTask task = Task(4);
  const ForbiddenWords forbidden(std::vector<Tokens>{{kAb}}, vocabulary_, true);
  task.forbidden = &forbidden;
  ExpectAll(task,
            [&](const Tokens& tokens) { return Text(tokens).find(" ab ") == std::string::npos; });
}

TEST_F(WholeWordsTest, ConstraintsDoNotMakeForbiddenWords) {
  SearchTask task = Task(4);
  task.vocabulary = &vocabulary_;
  task.constraints = {{kAb}};
  const ForbiddenWords forbidden(std::vector<Tokens>{{kA, kAb}}, vocabulary_, true);
  task.forbidden = &forbidden;
  for (uint64_t sentence = 0; sentence < 20; ++sentence) {
    for (const Hypothesis& one : Search(Toy(), sentence, task, Beam(5, 5))) {
      EXPECT_NE(Text(one.tokens).find(" ab "), std::string::npos);
      EXPECT_EQ(Text(one.tokens).find(" a ab "), std::string::npos);
    }
  }
}

TEST(BeamSearch, ExactStoppingNeverFindsLess) {
  int better = 0;
  for (uint64_t sentence = 0; sentence < 40; ++sentence) {
    SearchOptions options = Beam(2);
    options.normalization = LengthNormalization::kPower;
    options.length_alpha = 1.5;
    const double usual = Search(Toy(), sentence, 8, options)[0].score;
    options.stopping = Stopping::kExact;
    const double exact = Search(Toy(), sentence, 8, options)[0].score;
    EXPECT_GE(exact, usual);
    better += exact > usual ? 1 : 0;
  }
  EXPECT_GT(better, 0);
}

TEST(BeamSearch, ExactStoppingEndsWhenNoneCanWin) {
  Toy toy;
  toy.end_bonus = 50;
  SearchOptions options = Beam(3);
  options.normalization = LengthNormalization::kNone;
  options.stopping = Stopping::kExact;
  ToyScorer scorer(toy, {1});
  BeamSearch(scorer, {Task(100)}, options);
  EXPECT_THAT(scorer.rows_seen, ElementsAre(1));
}

TEST(BeamSearch, GroupsGenerateDifferentTokens) {
  SearchOptions options = Beam(4, 4);
  options.min_length = 1;
  const auto first_words = [&](double diversity) {
    std::set<int32_t> words;
    for (uint64_t sentence = 0; sentence < 10; ++sentence) {
      options.groups = 4;
      options.diversity = diversity;
      Toy toy;
      toy.end_bonus = -2;
      for (const Hypothesis& found : Search(toy, sentence, 4, options)) {
        words.insert(static_cast<int32_t>(sentence) * 100 + found.tokens.at(0));
      }
    }
    return words.size();
  };
  EXPECT_EQ(first_words(0), 10u);  // All groups are greedy, and alike.
  EXPECT_GT(first_words(5), 25u);
}

TEST(BeamSearch, GroupsLoseForEachGroupBeforeThatChoseTheSame) {
  // At each time step the end is the most probable token, then three words.
  class Fixed : public Scorer {
   public:
    int64_t batch() const override { return 1; }
    StepScores Step(absl::Span<const Extension> rows) override {
      const std::vector<float> row = {-9, -9, -9, -1, -2.8F, -3, -5};
      scores_.clear();
      for (size_t i = 0; i < rows.size(); ++i)
        scores_.insert(scores_.end(), row.begin(), row.end());
      normalizers_.assign(rows.size(), 0);
      return {{scores_.data(), static_cast<int64_t>(rows.size()), 7, 7}, normalizers_, {}};
    }
    absl::Span<const float> Attention(size_t) const override { return {}; }

   private:
    std::vector<float> scores_, normalizers_;
  };
  SearchOptions options = Beam(2, 2);
  options.groups = 2;
  options.normalization = LengthNormalization::kNone;
  const auto texts = [&](double diversity) {
    options.diversity = diversity;
    Fixed scorer;
    std::vector<Tokens> found;
    const auto results = BeamSearch(scorer, {Task(2)}, options);
    for (const Hypothesis& one : results[0]) found.push_back(one.tokens);
    return found;
  };
  // Equal, both groups end at once.
  EXPECT_THAT(texts(0), ElementsAre(Tokens(), Tokens()));
  // The second group is penalised because the first one ended.
  EXPECT_THAT(texts(3), ElementsAre(Tokens(), Tokens{5}));
}

TEST(BeamSearch, OneGroupIsPlainSearchWhateverTheDiversity) {
  SearchOptions options = Beam(4, 4);
  const auto plain = Search(Toy(), 3, 6, options);
  options.diversity = 9;
  ExpectSame(Search(Toy(), 3, 6, options), plain);
}

TEST(BeamSearch, ReturnsAttentionWeightsIfRequested) {
  SearchTask task = Task(4, 2);
  task.attention = true;
  for (const Hypothesis& found : Search(Toy(), 1, task, Beam(3, 3))) {
    ASSERT_EQ(found.attention.size(), found.tokens.size() + 1);
    int32_t before = kBosId;
    for (size_t i = 0; i < found.attention.size(); ++i) {
      EXPECT_EQ((*found.attention[i])[static_cast<size_t>(before % 3)], 1);
      if (i < found.tokens.size()) before = found.tokens[i];
    }
  }
}

// What SearchTask::on_tokens was called with.
class Streamed {
 public:
  std::function<void(absl::Span<const int32_t>, bool)> Listener() {
    return [this](absl::Span<const int32_t> tokens, bool complete) {
      EXPECT_FALSE(complete_);
      complete_ = complete;
      parts_.emplace_back(tokens.begin(), tokens.end());
    };
  }

  // Each part but the last is longer than the one before and a prefix of `tokens`, the last one is
  // `tokens`. Returns how many tokens were certain before the end.
  size_t Check(const Tokens& tokens) const {
    EXPECT_TRUE(complete_);
    if (parts_.empty()) return 0;
    EXPECT_EQ(parts_.back(), tokens);
    size_t certain = 0;
    for (size_t i = 0; i + 1 < parts_.size(); ++i) {
      EXPECT_GT(parts_[i].size(), certain);
      certain = parts_[i].size();
      if (certain > tokens.size()) {
        ADD_FAILURE() << "more tokens than the result has";
        return 0;
      }
      EXPECT_EQ(parts_[i], Tokens(tokens.begin(), tokens.begin() + static_cast<int64_t>(certain)));
    }
    return certain;
  }

 private:
  std::vector<Tokens> parts_;
  bool complete_ = false;
};

TEST(BeamSearch, GreedySearchIsCertainOfEachToken) {
  Streamed streamed;
  SearchTask task = Task(6, 6);
  task.prefix = {5};
  task.on_tokens = streamed.Listener();
  EXPECT_EQ(streamed.Check(Search(Toy(), 2, task, Beam(1))[0].tokens), 6u);
}

TEST(BeamSearch, GreedySearchThatStopsExactlyStreamsTheResult) {
  SearchOptions options = Beam(1);
  options.stopping = Stopping::kExact;
  options.normalization = LengthNormalization::kPower;
  options.length_alpha = 1.5;
  int longer = 0, shorter = 0;
  for (uint64_t sentence = 0; sentence < 40; ++sentence) {
    Streamed streamed;
    SearchTask task = Task(8);
    task.on_tokens = streamed.Listener();
    ToyScorer scorer(Toy(), {sentence});
    const Tokens tokens = BeamSearch(scorer, {task}, options)[0][0].tokens;
    streamed.Check(tokens);
    const Tokens first = Search(Toy(), sentence, 8, Beam(1))[0].tokens;
    longer += tokens.size() > first.size() ? 1 : 0;
    shorter += tokens.size() + 1 < scorer.rows_seen.size() ? 1 : 0;
  }
  EXPECT_GT(longer, 0);
  EXPECT_GT(shorter, 0);
}

TEST(BeamSearch, WhatIsCertainIsTheBeginningOfTheResult) {
  size_t certain = 0;
  for (const LengthNormalization normalization : kNormalizations) {
    for (const Stopping stopping : {Stopping::kFinished, Stopping::kExact}) {
      for (const int64_t beam : {2, 3, 6}) {
        for (const int64_t groups : {int64_t{1}, beam}) {
          for (uint64_t sentence = 0; sentence < 12; ++sentence) {
            SearchOptions options = Beam(beam, 2);
            options.normalization = normalization;
            options.stopping = stopping;
            options.groups = groups;
            options.repetition_penalty = sentence % 3 == 0 ? 1.5 : 1;
            options.coverage_penalty = sentence % 4 == 0 ? 0.3 : 0;
            Streamed streamed;
            SearchTask task = Task(9);
            if (sentence % 2 == 0) task.prefix = {5, 4};
            if (sentence % 5 == 0 && groups == 1) task.constraints = {{6, 6}};
            task.on_tokens = streamed.Listener();
            certain += streamed.Check(Search(Toy(), sentence, task, options)[0].tokens);
          }
        }
      }
    }
  }
  EXPECT_GT(certain, 1000u);
}

TEST(BeamSearch, ABeamIsCertainOfTheBeginningLongBeforeTheEnd) {
  // Of 20 tokens; where one token is far more probable than others, hypotheses differ in the last.
  class Peaked : public Scorer {
   public:
    int64_t batch() const override { return 1; }
    StepScores Step(absl::Span<const Extension> rows) override {
      scores_.clear();
      for (size_t i = 0; i < rows.size(); ++i) {
        // By the token before: 4 and 5 alternate, which others cannot return to.
        const int32_t next = rows[i].token == 4 ? 5 : 4;
        for (int32_t id = 0; id < 7; ++id)
          scores_.push_back(id == next && rows[i].token != 6 ? -0.01F : -6.F - 0.1F * id);
      }
      normalizers_.assign(rows.size(), 0);
      return {{scores_.data(), static_cast<int64_t>(rows.size()), 7, 7}, normalizers_, {}};
    }
    absl::Span<const float> Attention(size_t) const override { return {}; }

   private:
    std::vector<float> scores_, normalizers_;
  };
  std::vector<size_t> certain;  // After each report.
  SearchTask task = Task(20, 20);
  task.on_tokens = [&](absl::Span<const int32_t> tokens, bool) {
    certain.push_back(tokens.size());
  };
  Peaked scorer;
  ASSERT_THAT(BeamSearch(scorer, {task}, Beam(5))[0][0].tokens, SizeIs(20));
  ASSERT_THAT(certain, Not(::testing::IsEmpty()));
  EXPECT_EQ(certain.back(), 20u);
  EXPECT_GE(certain.size(), 4u);  // Not only the end.
}

TEST(BeamSearch, AnInterruptedSentenceIsNeverComplete) {
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  size_t calls = 0;
  SearchTask task = Task(9, 9);
  task.prefix = {5, 5};
  task.interrupt.cancelled = cancelled;
  task.on_tokens = [&](absl::Span<const int32_t>, bool complete) {
    EXPECT_FALSE(complete);
    *cancelled = ++calls == 2;
  };
  EXPECT_THAT(Search(Toy(), 3, task, Beam(4)), SizeIs(0));
  EXPECT_EQ(calls, 2u);
}

}  // namespace
}  // namespace seq2seq
