#include "seq2seq/data/noise.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/testing/learn.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAreArray;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAreArray;

using Ids = std::vector<int32_t>;

// A text of four sentences.
class NoiseTest : public ::testing::Test {
 protected:
  Noise Make(Objective objective) const { return {objective, options_, tokenizer_}; }

  static int64_t Masks(const Ids& ids) { return std::count(ids.begin(), ids.end(), kUnknownId); }

  const std::string sentences_ =
      "der Hund rennt im Garten. die Katze schläft! \"spielt das Kind am Strand?\" der alte Mann "
      "wartet vor dem Haus";
  const Tokenizer tokenizer_ = *Learn(SampleText() + sentences_ + "\n");
  const Ids text_ = tokenizer_.Encode(sentences_);
  NoiseOptions options_;
};

TEST_F(NoiseTest, IsAFunctionOfTextAndSeed) {
  for (const Objective objective : {Objective::kMasked, Objective::kDenoising}) {
    const Noise noise = Make(objective);
    std::set<Ids> sources;
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const NoisyText once = noise.Corrupt(text_, seed);
      EXPECT_EQ(once.source, Make(objective).Corrupt(text_, seed).source);
      sources.insert(once.source);
    }
    EXPECT_GT(sources.size(), 18u);
  }
}

TEST_F(NoiseTest, MaskedChoosesTheShareAndRestoresTheOriginal) {
  const Noise noise = Make(Objective::kMasked);
  double chosen = 0, masked = 0, kept = 0;
  const int draws = 3000;
  for (uint64_t seed = 0; seed < draws; ++seed) {
    const NoisyText noisy = noise.Corrupt(text_, seed);
    ASSERT_EQ(noisy.source.size(), text_.size());
    ASSERT_EQ(noisy.positions.size(), noisy.target.size());
    EXPECT_TRUE(std::is_sorted(noisy.positions.begin(), noisy.positions.end()));
    Ids restored = noisy.source;
    for (size_t i = 0; i < noisy.positions.size(); ++i) {
      const auto position = static_cast<size_t>(noisy.positions[i]);
      masked += noisy.source[position] == kUnknownId ? 1 : 0;
      kept += noisy.source[position] == text_[position] ? 1 : 0;
      restored[position] = noisy.target[i];
    }
    EXPECT_EQ(restored, text_);
    chosen += static_cast<double>(noisy.positions.size());
  }
  EXPECT_NEAR(chosen / draws, 0.15 * static_cast<double>(text_.size()), 0.1);
  EXPECT_NEAR(masked / chosen, 0.8, 0.02);
  EXPECT_NEAR(kept / chosen, 0.1, 0.02);
}

TEST_F(NoiseTest, WholeWordsAreChosenWithAllTheirSubwords) {
  options_.whole_words = true;
  const Noise noise = Make(Objective::kMasked);
  const std::vector<std::string> subwords = tokenizer_.Subwords(text_);
  const auto word_of = [&](int32_t position) {
    int32_t begin = position;
    while (begin > 0 && subwords[static_cast<size_t>(begin)].rfind("▁", 0) != 0) --begin;
    return begin;
  };
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const Ids positions = noise.Corrupt(text_, seed).positions;
    std::set<int32_t> words;
    for (const int32_t position : positions) words.insert(word_of(position));
    Ids expected;
    for (int32_t i = 0; i < static_cast<int32_t>(text_.size()); ++i) {
      if (words.count(word_of(i)) > 0) expected.push_back(i);
    }
    EXPECT_THAT(positions, ElementsAreArray(expected));
  }
}

TEST_F(NoiseTest, SpansCoverTheShareAndAreReplacedByOneMaskEach) {
  options_.shuffle = false;
  const Noise noise = Make(Objective::kDenoising);
  double covered = 0, masks = 0;
  const int draws = 3000;
  for (uint64_t seed = 0; seed < draws; ++seed) {
    const NoisyText noisy = noise.Corrupt(text_, seed);
    EXPECT_EQ(noisy.target, text_);
    EXPECT_TRUE(noisy.positions.empty());
    // What stays is in its order.
    auto next = text_.begin();
    for (const int32_t id : noisy.source) {
      if (id == kUnknownId) continue;
      next = std::find(next, text_.end(), id);
      ASSERT_NE(next, text_.end());
      ++next;
    }
    const int64_t spans = Masks(noisy.source);
    masks += static_cast<double>(spans);
    covered +=
        static_cast<double>(static_cast<int64_t>(text_.size() - noisy.source.size()) + spans);
  }
  EXPECT_NEAR(covered / draws, 0.3 * static_cast<double>(text_.size()), 0.1);
  EXPECT_GT(covered / masks, 2.2);  // 3 but for the last, which is cut.
  EXPECT_LT(covered / masks, 3.2);
}

TEST_F(NoiseTest, SentencesAreShuffledAsAWhole) {
  options_.spans = 0;
  const Noise noise = Make(Objective::kDenoising);
  std::set<std::string> orders;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const NoisyText noisy = noise.Corrupt(text_, seed);
    EXPECT_THAT(noisy.source, UnorderedElementsAreArray(text_));
    orders.insert(tokenizer_.Decode(noisy.source));
  }
  EXPECT_EQ(orders.size(), 24u);  // Of four sentences.
  EXPECT_EQ(
      orders.count("die Katze schläft! der Hund rennt im Garten. der alte Mann wartet vor dem "
                   "Haus \"spielt das Kind am Strand?\""),
      1u);
}

TEST_F(NoiseTest, LinesOfNoOrOneWordStayValid) {
  const Ids word = tokenizer_.Encode("Hund");
  ASSERT_FALSE(word.empty());
  for (uint64_t seed = 0; seed < 50; ++seed) {
    options_.whole_words = seed % 2 == 0;
    const NoisyText masked = Make(Objective::kMasked).Corrupt(word, seed);
    EXPECT_GE(masked.positions.size(), 1u);
    const NoisyText denoised = Make(Objective::kDenoising).Corrupt(word, seed);
    EXPECT_FALSE(denoised.source.empty());
    EXPECT_EQ(denoised.target, word);
    for (const Objective objective : {Objective::kMasked, Objective::kDenoising}) {
      const NoisyText empty = Make(objective).Corrupt({}, seed);
      EXPECT_TRUE(empty.source.empty() && empty.target.empty() && empty.positions.empty());
    }
  }
}

TEST_F(NoiseTest, OptionsOutOfRangeAreNamed) {
  EXPECT_TRUE(Validate(options_).ok());
  for (const double mask : {0.0, 1.0}) {
    options_ = {.mask = mask};
    EXPECT_THAT(std::string(Validate(options_).message()), StartsWith("train.noise.mask: "));
  }
  for (const double spans : {-0.1, 1.0}) {
    options_ = {.spans = spans};
    EXPECT_THAT(std::string(Validate(options_).message()), StartsWith("train.noise.spans: "));
  }
}

}  // namespace
}  // namespace seq2seq
