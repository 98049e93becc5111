#include "seq2seq/metrics/cider.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

using Lines = std::vector<std::string>;

CiderScore Score(const Lines& hypotheses, const std::vector<Lines>& references) {
  const absl::StatusOr<CiderScore> cider = CorpusCider(hypotheses, references);
  EXPECT_TRUE(cider.ok()) << cider.status();
  return cider.value_or(CiderScore{-1, -1});
}

TEST(Cider, IdenticalCaptionsOfDifferentImagesScore10) {
  const Lines captions = {"a dog runs fast", "two men talk here"};
  EXPECT_DOUBLE_EQ(Score(captions, {captions}).cider, 10);
  EXPECT_DOUBLE_EQ(Score(captions, {captions}).cider_d, 10);
}

TEST(Cider, AShortCaptionMissesTheLongerOrders) {
  // Of two words, the orders 1 and 2 score 1 and the others 0.
  EXPECT_DOUBLE_EQ(Score({"a b", "c d"}, {{"a b", "c d"}}).cider_d, 5);
}

TEST(Cider, WordsOfEveryImageDoNotCount) {
  // "a" weighs log(2/2) = 0; nothing else is shared.
  EXPECT_EQ(Score({"a x", "a y"}, {{"a b", "a c"}}).cider, 0);
  // "b" is found: the cosine of the 1-grams is 1 although "a" is missing.
  EXPECT_NEAR(Score({"b", "z"}, {{"a b", "a c"}}).cider, 10 * 0.25 * 0.5, 1e-9);
}

TEST(Cider, RareWordsCountMost) {
  // Of 4 images, 2 have "a", 1 has "b": weights log 2 and log 4 = 2 log 2. The hypothesis "b" and
  // the reference "a b" have the cosine 2 / sqrt(1 + 4) in the first order. The hypothesis "a"
  // has 1 / sqrt(5). The 2-gram is not found.
  const Lines references = {"a b", "a c", "d", "e"};
  const double part = 10 / 4.0 / 4.0;  // Orders, images.
  EXPECT_NEAR(Score({"b", "", "", ""}, {references}).cider, part * 2 / std::sqrt(5), 1e-9);
  EXPECT_NEAR(Score({"a", "", "", ""}, {references}).cider, part * 1 / std::sqrt(5), 1e-9);
}

TEST(Cider, WordsOfNoReferenceWeighAsThoseOfOneImage) {
  // Both "b" and "x" weigh log 2: the cosine with "b" is 1 / sqrt(2). One of two images scores.
  EXPECT_NEAR(Score({"b x", ""}, {{"b", "c"}}).cider, 10 * 0.25 * 0.5 / std::sqrt(2), 1e-9);
}

TEST(Cider, CiderDPenalisesDifferencesInLength) {
  // One word less: exp(-1 / 72).
  const CiderScore score = Score({"b", ""}, {{"a b", "a"}});
  EXPECT_NEAR(score.cider_d, score.cider * std::exp(-1.0 / 72), 1e-9);
  EXPECT_GT(score.cider_d, 0);
}

TEST(Cider, CiderDCountsRepeatedWordsAsOftenAsTheReference) {
  // 1-grams, in units of log 2: (3) and (1). The cosine is 3 * 1 / (3 * 1) = 1, clipped
  // 1 * 1 / (3 * 1) = 1/3. The lengths differ by 2.
  const CiderScore score = Score({"b b b", ""}, {{"b", "c"}});
  EXPECT_NEAR(score.cider, 10 * 0.25 * 0.5, 1e-9);
  EXPECT_NEAR(score.cider_d, score.cider / 3 * std::exp(-4.0 / 72), 1e-9);
}

TEST(Cider, IsTheMeanOverReferences) {
  // Right for one of two references.
  EXPECT_NEAR(Score({"b", "c"}, {{"b", "c"}, {"x", "y"}}).cider, 10 * 0.25 * 0.5, 1e-9);
  // A reference that is missing does not count.
  EXPECT_NEAR(Score({"b", "c"}, {{"b", "c"}, {"", ""}}).cider, 10 * 0.25, 1e-9);
}

TEST(Cider, DocumentsAreImagesNotReferences) {
  // "b" is in both references of the first image, but in one image: log 2, not 0.
  EXPECT_NEAR(Score({"b", ""}, {{"b", "c"}, {"b", "d"}}).cider, 10 * 0.25 * 0.5, 1e-9);
}

TEST(Cider, NothingToCompare) {
  EXPECT_EQ(Score({}, {{}}).cider_d, 0);
  EXPECT_EQ(Score({"", "a"}, {{"", ""}}).cider_d, 0);
  // A single image: all weights are log(1/1).
  EXPECT_EQ(Score({"a b c d"}, {{"a b c d"}}).cider, 0);
}

TEST(Cider, CountsThatDifferAreAnError) {
  const absl::Status status = CorpusCider(Lines{"a"}, {{"a", "b"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("1 hypotheses, but reference 1 has 2"));
  EXPECT_EQ(CorpusCider(Lines{"a"}, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace seq2seq
