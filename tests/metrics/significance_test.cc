#include "seq2seq/metrics/significance.h"

#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "seq2seq/metrics/error_rate.h"

namespace seq2seq {
namespace {

using Lines = std::vector<std::string>;

std::unique_ptr<const CorpusMetric> Accuracy() {
  return MakeErrorRate("accuracy", ErrorScore::kAccuracy);
}

// Counts of lines of which those are right that have a 1.
SegmentCounts Right(const std::string& right) {
  Lines lines;
  for (const char c : right) lines.emplace_back(1, c);
  return *Accuracy()->Count(lines, {Lines(lines.size(), "1")});
}

std::string Repeat(const std::string& text, int times) {
  std::string repeated;
  for (int i = 0; i < times; ++i) repeated += text;
  return repeated;
}

TEST(BootstrapInterval, IsThatOfTheBinomialDistribution) {
  // 64 of 100 right: a standard deviation of 4.8, so 95% lie within 1.96 of that.
  const SegmentCounts counts = Right(Repeat("1110110101", 4) + Repeat("1101101010", 6));
  ASSERT_EQ(Accuracy()->Score(counts.Sum()), 64);
  const ConfidenceInterval interval = BootstrapInterval(*Accuracy(), counts, {.samples = 20000});
  EXPECT_NEAR(interval.mean, 64, 0.2);
  EXPECT_NEAR(interval.half_width, 1.96 * std::sqrt(64.0 * 36 / 100), 0.6);
}

TEST(BootstrapInterval, IsAPointWhereAllSegmentsAreEqual) {
  const ConfidenceInterval interval = BootstrapInterval(*Accuracy(), Right("1111"));
  EXPECT_EQ(interval.mean, 100);
  EXPECT_EQ(interval.half_width, 0);
  const ConfidenceInterval one = BootstrapInterval(*Accuracy(), Right("10"), {.samples = 1});
  EXPECT_EQ(one.half_width, 0);
}

TEST(PairedBootstrap, AgreesWithAllResamples) {
  const std::string a = "1100", b = "0111";
  // All 4⁴ resamples: the difference in percent of four segments, as often as each occurs.
  std::vector<double> differences;
  for (int code = 0; code < 256; ++code) {
    double difference = 0;
    for (int i = 0, rest = code; i < 4; ++i, rest /= 4) {
      difference += (b[rest % 4] - a[rest % 4]) * 25;
    }
    differences.push_back(std::abs(difference));
  }
  double mean = 0;
  for (const double difference : differences) mean += difference / 256;
  double share = 0;
  for (const double difference : differences) share += difference - mean > 25 ? 1.0 / 256 : 0;
  ASSERT_GT(share, 0.05);
  EXPECT_NEAR(PairedBootstrap(*Accuracy(), Right(a), Right(b), {.samples = 20000}), share, 0.015);
}

TEST(ApproximateRandomization, AgreesWithTheBinomialTest) {
  // Of ten lines on which they differ, each system is right on 2 and 8: 6 of 20 lines apart. Random
  // exchanges are further apart if one system gets less than 2 of the ten: 2 (1 + 10) / 2¹⁰.
  const SegmentCounts a = Right(
      "1111111111"
      "1100000000");
  const SegmentCounts b = Right(
      "1111111111"
      "0011111111");
  EXPECT_NEAR(ApproximateRandomization(*Accuracy(), a, b, {.samples = 40000}), 22.0 / 1024, 0.003);
  EXPECT_NEAR(ApproximateRandomization(*Accuracy(), b, a, {.samples = 40000}), 22.0 / 1024, 0.003);
}

TEST(Significance, EqualSystemsAreNotComparedByChance) {
  // As sacreBLEU: no sample exceeds a difference of 0, so that p is as low as can be.
  const SegmentCounts counts = Right("10110");
  EXPECT_DOUBLE_EQ(PairedBootstrap(*Accuracy(), counts, counts, {.samples = 99}), 0.01);
  EXPECT_DOUBLE_EQ(ApproximateRandomization(*Accuracy(), counts, counts, {.samples = 99}), 0.01);
}

TEST(Significance, IsAFunctionOfTheSeed) {
  const SegmentCounts a = Right(Repeat("10110", 20)), b = Right(Repeat("11010", 20));
  const Resampling one = {.samples = 200, .seed = 1}, two = {.samples = 200, .seed = 2};
  EXPECT_EQ(PairedBootstrap(*Accuracy(), a, b, one), PairedBootstrap(*Accuracy(), a, b, one));
  EXPECT_EQ(BootstrapInterval(*Accuracy(), a, one).mean,
            BootstrapInterval(*Accuracy(), a, one).mean);
  EXPECT_NE(BootstrapInterval(*Accuracy(), a, one).mean,
            BootstrapInterval(*Accuracy(), a, two).mean);
}

TEST(Significance, HasSegmentsOfAllPlaces) {
  // 200 segments, more than a word of random bits: the last ones alone differ.
  const SegmentCounts a = Right(Repeat("1", 180) + Repeat("0", 20));
  const SegmentCounts b = Right(Repeat("1", 200));
  EXPECT_LT(ApproximateRandomization(*Accuracy(), a, b, {.samples = 2000}), 0.01);
  EXPECT_LT(PairedBootstrap(*Accuracy(), a, b), 0.01);
}

}  // namespace
}  // namespace seq2seq
