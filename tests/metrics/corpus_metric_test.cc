#include "seq2seq/metrics/corpus_metric.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/metrics/bleu.h"
#include "seq2seq/metrics/caption.h"
#include "seq2seq/metrics/chrf.h"
#include "seq2seq/metrics/error_rate.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

using Lines = std::vector<std::string>;

const Lines kHypotheses = {"The cat sat on the mat.", "Two dogs are playing in snow",
                           "A red car, parked", "a man"};
const std::vector<Lines> kReferences = {
    {"The cat is on the mat.", "Two dogs play in the snow", "A red car is parked.", "a woman"},
    {"There is a cat on the mat.", "", "One parked car", "A man"}};

std::vector<MetricKind> AllKinds() {
  std::vector<MetricKind> kinds;
  for (const std::string& text : EnumTexts(MetricKind())) {
    kinds.push_back(*EnumFromText<MetricKind>(text));
  }
  return kinds;
}

std::unique_ptr<const CorpusMetric> Make(MetricKind kind, const MetricOptions& options = {}) {
  absl::StatusOr<std::unique_ptr<const CorpusMetric>> metric = MakeMetric(kind, options);
  EXPECT_TRUE(metric.ok()) << metric.status();
  return *std::move(metric);
}

SegmentCounts Count(const CorpusMetric& metric, const Lines& hypotheses = kHypotheses,
                    const std::vector<Lines>& references = kReferences) {
  absl::StatusOr<SegmentCounts> counts = metric.Count(hypotheses, references);
  EXPECT_TRUE(counts.ok()) << counts.status();
  return *std::move(counts);
}

double Score(MetricKind kind, const Lines& hypotheses = kHypotheses,
             const std::vector<Lines>& references = kReferences,
             const MetricOptions& options = {}) {
  const std::unique_ptr<const CorpusMetric> metric = Make(kind, options);
  return metric->Score(Count(*metric, hypotheses, references).Sum());
}

TEST(CorpusMetric, TheSumOfAllSegmentsScoresAsTheCorpus) {
  EXPECT_DOUBLE_EQ(Score(MetricKind::kBleu), CorpusBleu(kHypotheses, kReferences)->score);
  EXPECT_DOUBLE_EQ(Score(MetricKind::kChrf), CorpusChrf(kHypotheses, kReferences)->score);
  EXPECT_DOUBLE_EQ(Score(MetricKind::kChrfWords),
                   CorpusChrf(kHypotheses, kReferences, {.word_order = 2})->score);

  const absl::StatusOr<CaptionScores> captions = ScoreCaptions(kHypotheses, kReferences);
  EXPECT_DOUBLE_EQ(Score(MetricKind::kCaptionBleu), captions->bleu.score);
  EXPECT_DOUBLE_EQ(Score(MetricKind::kMeteor), captions->meteor.score);
  EXPECT_DOUBLE_EQ(Score(MetricKind::kRougeL), captions->rouge_l);
  EXPECT_NEAR(Score(MetricKind::kCider), captions->cider.cider_d, 1e-12);

  const absl::StatusOr<ErrorRate> words = CorpusErrorRate(kHypotheses, kReferences);
  EXPECT_DOUBLE_EQ(Score(MetricKind::kWer), words->Rate());
  EXPECT_DOUBLE_EQ(Score(MetricKind::kPer), words->Rate());
  EXPECT_DOUBLE_EQ(Score(MetricKind::kAccuracy), words->Accuracy());
  EXPECT_DOUBLE_EQ(
      Score(MetricKind::kCer),
      CorpusErrorRate(kHypotheses, kReferences, {.unit = ErrorUnit::kCharacter})->Rate());
}

TEST(CorpusMetric, ASegmentScoresAsACorpusOfItself) {
  for (const MetricKind kind : AllKinds()) {
    if (kind == MetricKind::kCider || kind == MetricKind::kF1) continue;  // Of the whole corpus.
    const std::unique_ptr<const CorpusMetric> metric = Make(kind);
    const SegmentCounts counts = Count(*metric);
    ASSERT_EQ(counts.size(), kHypotheses.size());
    for (size_t i = 0; i < counts.size(); ++i) {
      const std::vector<Lines> references = {{kReferences[0][i]}, {kReferences[1][i]}};
      EXPECT_DOUBLE_EQ(metric->Score(counts[i]), Score(kind, {kHypotheses[i]}, references))
          << metric->Name() << " " << i;
    }
  }
}

TEST(CorpusMetric, OptionsReachTheirMetrics) {
  EXPECT_GT(Score(MetricKind::kBleu, kHypotheses, kReferences, {.lowercase = true}),
            Score(MetricKind::kBleu));
  EXPECT_GT(Score(MetricKind::kAccuracy, {"A MAN"}, {{"a man"}}, {.lowercase = true}), 0);
  const MetricOptions moses = {.tokenize = Tokenization::kMoses,
                               .language = MosesLanguage::kGerman};
  EXPECT_THAT(Make(MetricKind::kBleu, moses)->Signature(1), HasSubstr("tok:moses-de"));
  EXPECT_THAT(Make(MetricKind::kMeteor, {.stemmer = "german"})->Signature(1),
              HasSubstr("case:lc|norm:caption|stem:german"));
  EXPECT_FALSE(MakeMetric(MetricKind::kMeteor, {.stemmer = "klingon"}).ok());
}

TEST(CorpusMetric, OnlyErrorRatesAreBetterLower) {
  for (const MetricKind kind : AllKinds()) {
    const bool lower =
        kind == MetricKind::kWer || kind == MetricKind::kCer || kind == MetricKind::kPer;
    EXPECT_EQ(Make(kind)->LowerIsBetter(), lower) << EnumText(kind);
  }
}

TEST(CorpusMetric, RefusesTextsOfOtherLengths) {
  for (const MetricKind kind : AllKinds()) {
    EXPECT_FALSE(Make(kind)->Count({"a"}, {{"a", "b"}}).ok()) << EnumText(kind);
    EXPECT_FALSE(Make(kind)->Count({"a"}, {}).ok()) << EnumText(kind);
  }
}

TEST(CorpusMetric, EmptyTextsHaveAScore) {
  for (const MetricKind kind : AllKinds()) {
    const std::unique_ptr<const CorpusMetric> metric = Make(kind);
    const SegmentCounts counts = Count(*metric, {}, {{}});
    EXPECT_EQ(counts.size(), 0);
    EXPECT_EQ(metric->Score(counts.Sum()), 0) << metric->Name();
  }
}

TEST(F1, IsTheMeanOverTheLabelsOfTheReferences) {
  // spam: P 1/2, R 1/1, F1 2/3; ham: P 1/1, R 1/3, F1 1/2. "egg" is no label of the references.
  const Lines hypotheses = {"spam", "spam", "ham", "egg"};
  const std::vector<Lines> references = {{"spam", "ham", "ham", "ham"}};
  EXPECT_NEAR(Score(MetricKind::kF1, hypotheses, references), 100 * (2.0 / 3 + 1.0 / 2) / 2, 1e-12);
  EXPECT_EQ(Score(MetricKind::kAccuracy, hypotheses, references), 50);
}

TEST(F1, IsRightWithAnyReferenceAndApartFromSpaces) {
  EXPECT_EQ(Score(MetricKind::kF1, {" b ", "a"}, {{"a", "a"}, {"b", ""}}), 100);
  EXPECT_EQ(Score(MetricKind::kF1, {"A"}, {{"a"}}), 0);
  EXPECT_EQ(Score(MetricKind::kF1, {"A"}, {{"a"}}, {.lowercase = true}), 100);
}

}  // namespace
}  // namespace seq2seq
