#include "seq2seq/metrics/error_rate.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string_view>

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

absl::string_view UnitName(ErrorUnit unit) {
  return unit == ErrorUnit::kToken ? "token" : "character";
}

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
  const auto read_tokens = [&](absl::string_view line) {
    return Tokenize(line, Tokenization::kNone, options.lowercase);
  };
  const auto read_characters = [&](absl::string_view line) {
    return ReadCharacters(line, options.lowercase);
  };
  for (const Segment& segment : corpus.segments) {
    if (options.unit == ErrorUnit::kToken) {
      AddSegment(segment, read_tokens, rate);
    } else {
      AddSegment(segment, read_characters, rate);
    }
  }
  return rate;
}

}  // namespace seq2seq
