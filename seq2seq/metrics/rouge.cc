#include "seq2seq/metrics/rouge.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/string_view.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/segments.h"

namespace seq2seq {
namespace {

constexpr double kBeta = 1.2;

using Words = std::vector<std::string>;

size_t LongestCommonSubsequence(const Words& a, const Words& b) {
  // lengths[j] is that of the words of `a` so far and the first j of `b`.
  std::vector<size_t> lengths(b.size() + 1);
  for (const std::string& word : a) {
    size_t diagonal = 0;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t above = lengths[j + 1];
      lengths[j + 1] = word == b[j] ? diagonal + 1 : std::max(above, lengths[j]);
      diagonal = above;
    }
  }
  return lengths.back();
}

double SegmentRougeL(const Segment& segment) {
  const Words hypothesis = Tokenize(segment.hypothesis, Tokenization::kNone);
  double precision = 0;
  double recall = 0;
  for (const absl::string_view line : segment.references) {
    const Words reference = Tokenize(line, Tokenization::kNone);
    const auto common = static_cast<double>(LongestCommonSubsequence(hypothesis, reference));
    if (common == 0) continue;
    precision = std::max(precision, common / static_cast<double>(hypothesis.size()));
    recall = std::max(recall, common / static_cast<double>(reference.size()));
  }
  if (precision == 0) return 0;
  constexpr double kBetaSquared = kBeta * kBeta;
  return 100 * (1 + kBetaSquared) * precision * recall / (recall + kBetaSquared * precision);
}

class RougeL final : public CorpusMetric {
 public:
  std::string Name() const override { return "ROUGE-L"; }

  std::string Signature(int64_t num_references) const override {
    return FormatSignature(num_references, /*lowercase=*/false, "tok:none");
  }

  absl::StatusOr<SegmentCounts> Count(
      absl::Span<const std::string> hypotheses,
      const std::vector<std::vector<std::string>>& references) const override {
    SEQ2SEQ_ASSIGN_OR_RETURN(const Segments corpus, AlignSegments(hypotheses, references));
    SegmentCounts counts(2, corpus.num_references);
    for (const Segment& segment : corpus.segments) counts.Append({SegmentRougeL(segment), 1});
    return counts;
  }

  double Score(absl::Span<const double> sum) const override {
    return sum[1] > 0 ? sum[0] / sum[1] : 0;
  }
};

}  // namespace

absl::StatusOr<double> CorpusRougeL(absl::Span<const std::string> hypotheses,
                                    const std::vector<std::vector<std::string>>& references) {
  const RougeL metric;
  SEQ2SEQ_ASSIGN_OR_RETURN(const SegmentCounts counts, metric.Count(hypotheses, references));
  return metric.Score(counts.Sum());
}

std::unique_ptr<const CorpusMetric> MakeRougeL() { return std::make_unique<RougeL>(); }

}  // namespace seq2seq
