#include "seq2seq/metrics/error_rate.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/segments.h"
#include "seq2seq/metrics/unicode.h"

namespace seq2seq {
namespace {

// Levenshtein distance by dynamic programming, row by row.
template <typename Sequence>
int64_t Distance(const Sequence& a, const Sequence& b) {
  // distances[j]: from the first i units of `a` to the first j units of `b`.
  std::vector<int64_t> distances(b.size() + 1);
  std::iota(distances.begin(), distances.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    int64_t diagonal = distances[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const int64_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = distances[j + 1];
      distances[j + 1] = std::min({substituted, diagonal + 1, distances[j] + 1});
    }
  }
  return distances.back();
}

std::u32string ReadCharacters(absl::string_view line, bool lowercase) {
  std::u32string text = DecodeUtf8(line);
  if (lowercase) text = ToLower(text);
  std::u32string characters;
  for (const std::u32string_view word : SplitAtSpaces(text)) {
    if (!characters.empty()) characters += U' ';
    characters += word;
  }
  return characters;
}

// `read` cuts a line into a sequence of units.
template <typename Read>
void AddSegment(const Segment& segment, Read read, ErrorRate& rate) {
  const auto hypothesis = read(segment.hypothesis);
  int64_t fewest = -1;
  int64_t length = 0;
  for (const absl::string_view line : segment.references) {
    const auto reference = read(line);
    const auto candidate_length = static_cast<int64_t>(reference.size());
    const int64_t errors = Distance(hypothesis, reference);
    if (fewest < 0 || errors < fewest || (errors == fewest && candidate_length > length)) {
      fewest = errors;
      length = candidate_length;
    }
  }
  rate.errors += fewest;
  rate.reference_length += length;
  rate.wrong_lines += fewest > 0 ? 1 : 0;
  ++rate.lines;
}

void AddSegment(const Segment& segment, ErrorRate& rate) {
  const ErrorRateOptions& options = rate.options;
  if (options.unit == ErrorUnit::kToken) {
    const auto read = [&](absl::string_view line) {
      return Tokenize(line, Tokenization::kNone, options.lowercase);
    };
    AddSegment(segment, read, rate);
  } else {
    const auto read = [&](absl::string_view line) {
      return ReadCharacters(line, options.lowercase);
    };
    AddSegment(segment, read, rate);
  }
}

absl::string_view UnitName(ErrorUnit unit) {
  return unit == ErrorUnit::kToken ? "token" : "character";
}

class ErrorRateMetric final : public CorpusMetric {
 public:
  ErrorRateMetric(std::string name, ErrorScore score, const ErrorRateOptions& options)
      : name_(std::move(name)), score_(score), options_(options) {}

  std::string Name() const override { return name_; }

  std::string Signature(int64_t num_references) const override {
    ErrorRate rate;
    rate.num_references = num_references;
    rate.options = options_;
    return rate.Signature();
  }

  bool LowerIsBetter() const override { return score_ == ErrorScore::kRate; }

  absl::StatusOr<SegmentCounts> Count(
      absl::Span<const std::string> hypotheses,
      const std::vector<std::vector<std::string>>& references) const override {
    SEQ2SEQ_ASSIGN_OR_RETURN(const Segments corpus, AlignSegments(hypotheses, references));
    SegmentCounts counts(4, corpus.num_references);
    for (const Segment& segment : corpus.segments) {
      ErrorRate rate;
      rate.options = options_;
      AddSegment(segment, rate);
      counts.Append({static_cast<double>(rate.errors), static_cast<double>(rate.reference_length),
                     static_cast<double>(rate.wrong_lines), static_cast<double>(rate.lines)});
    }
    return counts;
  }

  double Score(absl::Span<const double> sum) const override {
    ErrorRate rate;
    rate.errors = static_cast<int64_t>(sum[0]);
    rate.reference_length = static_cast<int64_t>(sum[1]);
    rate.wrong_lines = static_cast<int64_t>(sum[2]);
    rate.lines = static_cast<int64_t>(sum[3]);
    return score_ == ErrorScore::kRate ? rate.Rate() : rate.Accuracy();
  }

 private:
  const std::string name_;
  const ErrorScore score_;
  const ErrorRateOptions options_;
};

}  // namespace

double ErrorRate::Rate() const {
  const int64_t length = std::max<int64_t>(reference_length, 1);
  return 100 * static_cast<double>(errors) / static_cast<double>(length);
}

double ErrorRate::Accuracy() const { return lines == 0 ? 0 : 100 - LineRate(); }

double ErrorRate::LineRate() const {
  if (lines == 0) return 0;
  return 100 * static_cast<double>(wrong_lines) / static_cast<double>(lines);
}

std::string ErrorRate::Signature() const {
  return FormatSignature(num_references, options.lowercase,
                         absl::StrCat("unit:", UnitName(options.unit)));
}

absl::StatusOr<ErrorRate> CorpusErrorRate(absl::Span<const std::string> hypotheses,
                                          const std::vector<std::vector<std::string>>& references,
                                          const ErrorRateOptions& options) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const Segments corpus, AlignSegments(hypotheses, references));
  ErrorRate rate;
  rate.options = options;
  rate.num_references = corpus.num_references;
  for (const Segment& segment : corpus.segments) AddSegment(segment, rate);
  return rate;
}

std::unique_ptr<const CorpusMetric> MakeErrorRate(std::string name, ErrorScore score,
                                                  const ErrorRateOptions& options) {
  return std::make_unique<ErrorRateMetric>(std::move(name), score, options);
}

}  // namespace seq2seq
