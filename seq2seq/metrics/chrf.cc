#include "seq2seq/metrics/chrf.h"

#include <cstddef>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/segments.h"
#include "seq2seq/metrics/unicode.h"

namespace seq2seq {
namespace {

struct MatchCounts {
  int64_t hypothesis = 0;
  int64_t reference = 0;
  int64_t matches = 0;
};

// A line as chrF counts it.
struct Line {
  std::u32string characters;  // Without spaces.
  std::vector<std::u32string> words;
};

bool IsAsciiPunctuation(char32_t c) {
  return c < 0x80 && absl::ascii_ispunct(static_cast<unsigned char>(c));
}

// Cuts one ASCII punctuation character off each word: the last, or else the first.
Line ReadLine(absl::string_view text, bool lowercase) {
  std::u32string symbols = DecodeUtf8(text);
  if (lowercase) symbols = ToLower(symbols);
  Line line;
  for (const std::u32string_view word : SplitAtSpaces(symbols)) {
    line.characters += word;
    size_t cut = 0;
    if (IsAsciiPunctuation(word.back())) {
      cut = word.size() - 1;
    } else if (IsAsciiPunctuation(word.front())) {
      cut = 1;
    }
    if (cut > 0) line.words.emplace_back(word.substr(0, cut));
    line.words.emplace_back(word.substr(cut));
  }
  return line;
}

template <typename T>
MatchCounts CountMatches(absl::Span<const T> hypothesis, absl::Span<const T> reference,
                         size_t order) {
  MatchCounts counts;
  // An order that the reference is too short for does not count against the hypothesis either.
  if (reference.size() < order) return counts;

  absl::flat_hash_map<absl::Span<const T>, int64_t> unmatched;
  for (size_t i = 0; i + order <= reference.size(); ++i) {
    ++unmatched[reference.subspan(i, order)];
    ++counts.reference;
  }
  for (size_t i = 0; i + order <= hypothesis.size(); ++i) {
    ++counts.hypothesis;
    const auto left = unmatched.find(hypothesis.subspan(i, order));
    if (left == unmatched.end() || left->second == 0) continue;
    --left->second;
    ++counts.matches;
  }
  return counts;
}

// One element for each order, characters first.
std::vector<MatchCounts> CountAllOrders(const Line& hypothesis, const Line& reference,
                                        int word_order) {
  std::vector<MatchCounts> counts;
  for (int order = 1; order <= ChrfScore::kCharOrder; ++order) {
    counts.push_back(CountMatches<char32_t>(hypothesis.characters, reference.characters, order));
  }
  for (int order = 1; order <= word_order; ++order) {
    counts.push_back(CountMatches<std::u32string>(hypothesis.words, reference.words, order));
  }
  return counts;
}

// The F-score of precision and recall, each averaged over the orders that both sides have.
double FScore(const std::vector<MatchCounts>& orders) {
  double precisions = 0;
  double recalls = 0;
  int effective_orders = 0;
  for (const MatchCounts& order : orders) {
    if (order.hypothesis == 0 || order.reference == 0) continue;
    const auto matches = static_cast<double>(order.matches);
    precisions += matches / static_cast<double>(order.hypothesis);
    recalls += matches / static_cast<double>(order.reference);
    ++effective_orders;
  }
  if (precisions == 0) return 0;  // Without a match; the recalls are 0 too.
  const double precision = precisions / effective_orders;
  const double recall = recalls / effective_orders;
  constexpr double kBetaSquared = ChrfScore::kBeta * ChrfScore::kBeta;
  return 100 * (1 + kBetaSquared) * precision * recall / (kBetaSquared * precision + recall);
}

// The counts against the reference that scores best; of equals, the first.
std::vector<MatchCounts> CountSegment(const Segment& segment, const ChrfOptions& options) {
  const Line hypothesis = ReadLine(segment.hypothesis, options.lowercase);
  std::vector<MatchCounts> best;
  double best_score = -1;
  for (const absl::string_view text : segment.references) {
    const Line reference = ReadLine(text, options.lowercase);
    std::vector<MatchCounts> counts = CountAllOrders(hypothesis, reference, options.word_order);
    const double score = FScore(counts);
    if (score > best_score) {
      best_score = score;
      best = std::move(counts);
    }
  }
  return best;
}

class Chrf final : public CorpusMetric {
 public:
  explicit Chrf(const ChrfOptions& options) { described_.options = options; }

  std::string Name() const override { return described_.Name(); }

  std::string Signature(int64_t num_references) const override {
    ChrfScore chrf = described_;
    chrf.num_references = num_references;
    return chrf.Signature();
  }

  absl::StatusOr<SegmentCounts> Count(
      absl::Span<const std::string> hypotheses,
      const std::vector<std::vector<std::string>>& references) const override {
    SEQ2SEQ_ASSIGN_OR_RETURN(const Segments corpus, AlignSegments(hypotheses, references));
    const ChrfOptions& options = described_.options;
    SegmentCounts counts(3 * (ChrfScore::kCharOrder + options.word_order), corpus.num_references);
    for (const Segment& segment : corpus.segments) {
      std::vector<double> row;
      for (const MatchCounts& order : CountSegment(segment, options)) {
        row.push_back(static_cast<double>(order.hypothesis));
        row.push_back(static_cast<double>(order.reference));
        row.push_back(static_cast<double>(order.matches));
      }
      counts.Append(row);
    }
    return counts;
  }

  double Score(absl::Span<const double> sum) const override {
    std::vector<MatchCounts> orders;
    for (size_t i = 0; i < sum.size(); i += 3) {
      orders.push_back({.hypothesis = static_cast<int64_t>(sum[i]),
                        .reference = static_cast<int64_t>(sum[i + 1]),
                        .matches = static_cast<int64_t>(sum[i + 2])});
    }
    return FScore(orders);
  }

 private:
  ChrfScore described_;  // Without a score.
};

}  // namespace

std::string ChrfScore::Name() const {
  return absl::StrCat("chrF", kBeta, std::string(options.word_order, '+'));
}

std::string ChrfScore::Signature() const {
  return FormatSignature(
      num_references, options.lowercase,
      absl::StrCat("eff:yes|nc:", kCharOrder, "|nw:", options.word_order, "|space:no"));
}

absl::StatusOr<ChrfScore> CorpusChrf(absl::Span<const std::string> hypotheses,
                                     const std::vector<std::vector<std::string>>& references,
                                     const ChrfOptions& options) {
  if (options.word_order < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("word_order must not be negative, but is ", options.word_order));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const Segments corpus, AlignSegments(hypotheses, references));

  std::vector<MatchCounts> totals(ChrfScore::kCharOrder + options.word_order);
  for (const Segment& segment : corpus.segments) {
    const std::vector<MatchCounts> counts = CountSegment(segment, options);
    for (size_t i = 0; i < totals.size(); ++i) {
      totals[i].hypothesis += counts[i].hypothesis;
      totals[i].reference += counts[i].reference;
      totals[i].matches += counts[i].matches;
    }
  }
  ChrfScore chrf;
  chrf.score = FScore(totals);
  chrf.num_references = corpus.num_references;
  chrf.options = options;
  return chrf;
}

std::unique_ptr<const CorpusMetric> MakeChrf(const ChrfOptions& options) {
  return std::make_unique<Chrf>(options);
}

}  // namespace seq2seq
