#include "seq2seq/metrics/f1.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/str_join.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/segments.h"

namespace seq2seq {
namespace {

constexpr size_t kCounts = 3;  // True positives, hypotheses and references of a label.

class F1 final : public CorpusMetric {
 public:
  explicit F1(bool lowercase) : lowercase_(lowercase) {}

  std::string Name() const override { return "F1"; }

  std::string Signature(int64_t num_references) const override {
    return FormatSignature(num_references, lowercase_, "average:macro");
  }

  absl::StatusOr<SegmentCounts> Count(
      absl::Span<const std::string> hypotheses,
      const std::vector<std::vector<std::string>>& references) const override {
    SEQ2SEQ_ASSIGN_OR_RETURN(const Segments corpus, AlignSegments(hypotheses, references));
    absl::btree_map<std::string, size_t> places;  // Of the counts of each label in a row.
    for (const Segment& segment : corpus.segments) {
      for (const absl::string_view line : segment.references) places.emplace(Label(line), 0);
    }
    size_t place = 0;
    for (auto& [label, at] : places) at = kCounts * place++;

    SegmentCounts counts(kCounts * std::max<size_t>(places.size(), 1), corpus.num_references);
    for (const Segment& segment : corpus.segments) {
      const std::string hypothesis = Label(segment.hypothesis);
      std::string right = Label(segment.references.front());
      for (const absl::string_view line : segment.references) {
        if (Label(line) == hypothesis) right = hypothesis;
      }
      std::vector<double> row(counts.width);
      if (hypothesis == right) row[places[right]] = 1;
      if (const auto known = places.find(hypothesis); known != places.end()) {
        row[known->second + 1] = 1;
      }
      row[places[right] + 2] = 1;
      counts.Append(row);
    }
    return counts;
  }

  double Score(absl::Span<const double> sum) const override {
    double total = 0;
    for (size_t i = 0; i < sum.size(); i += kCounts) {
      // 2 P R / (P + R), with P and R the true positives over hypotheses and over references.
      const double both = sum[i + 1] + sum[i + 2];
      if (both > 0) total += 2 * sum[i] / both;
    }
    return 100 * total * kCounts / static_cast<double>(sum.size());
  }

 private:
  std::string Label(absl::string_view line) const {
    return absl::StrJoin(Tokenize(line, Tokenization::kNone, lowercase_), " ");
  }

  const bool lowercase_;
};

}  // namespace

std::unique_ptr<const CorpusMetric> MakeF1(bool lowercase) {
  return std::make_unique<F1>(lowercase);
}

}  // namespace seq2seq
