#include "seq2seq/metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/ngrams.h"

namespace seq2seq {
namespace {

void AddSegment(const Segment& segment, BleuScore& bleu) {
  const auto tokenize = [&](absl::string_view line) {
    return Tokenize(line, bleu.options.tokenization, bleu.options.lowercase, bleu.options.language);
  };
  const std::vector<std::string> hypothesis = tokenize(segment.hypothesis);
  const auto length = static_cast<int64_t>(hypothesis.size());

  std::vector<std::vector<std::string>> references;
  for (const absl::string_view line : segment.references) references.push_back(tokenize(line));

  // An n-gram may match as often as it occurs in the one reference that has it most often.
  NgramCounts allowed;
  int64_t closest = static_cast<int64_t>(references.front().size());
  for (const std::vector<std::string>& reference : references) {
    for (const auto& [ngram, count] : CountNgrams(reference, BleuScore::kMaxOrder)) {
      int64_t& most = allowed[ngram];
      most = std::max(most, count);
    }
    const auto candidate = static_cast<int64_t>(reference.size());
    const int64_t gain = std::abs(closest - length) - std::abs(candidate - length);
    if (gain > 0 || (gain == 0 && candidate < closest)) closest = candidate;
  }

  ForEachNgram(hypothesis, BleuScore::kMaxOrder, [&](Ngram ngram) {
    const size_t n = ngram.size() - 1;
    ++bleu.totals[n];
    const auto left = allowed.find(ngram);
    if (left == allowed.end() || left->second == 0) return;
    --left->second;
    ++bleu.matches[n];
  });
  bleu.hypothesis_length += length;
  bleu.reference_length += closest;
}

// Fills in the precisions, the brevity penalty and the score from the counts.
void Finish(BleuScore& bleu) {
  if (bleu.hypothesis_length < bleu.reference_length) {
    bleu.brevity_penalty = bleu.hypothesis_length == 0 ? 0 : std::exp(1 - 1 / bleu.LengthRatio());
  }
  if (bleu.matches[0] == 0) return;  // Smoothing must not make a score out of nothing.

  double exp_matches = 1;
  for (size_t n = 0; n < BleuScore::kMaxOrder; ++n) {
    auto matches = static_cast<double>(bleu.matches[n]);
    auto total = static_cast<double>(bleu.totals[n]);
    if (bleu.options.smoothing == BleuSmoothing::kAddK && n > 0) {
      matches += 1;
      total += 1;
    } else if (bleu.options.smoothing == BleuSmoothing::kFloor && matches == 0) {
      matches = 0.1;
    } else if (bleu.options.smoothing == BleuSmoothing::kExp && matches == 0) {
      matches = exp_matches /= 2;
    }
    // Without a sentence of n tokens the precision, and with it the score, stays 0.
    if (total > 0) bleu.precisions[n] = 100 * matches / total;
  }
  bleu.score = bleu.Order(BleuScore::kMaxOrder);
}

std::string TokenizationWithLanguage(const BleuOptions& options) {
  std::string name = EnumText(options.tokenization);
  switch (options.tokenization) {
    case Tokenization::k13a:
    case Tokenization::kNone:
    case Tokenization::kIntl:
    case Tokenization::kChar:
    case Tokenization::kSubwords:
      return name;
    case Tokenization::kMoses:
    case Tokenization::kMosesNorm:
      return absl::StrCat(name, "-", EnumText(options.language));
  }
  return "";
}

absl::string_view SmoothingName(BleuSmoothing smoothing) {
  switch (smoothing) {
    case BleuSmoothing::kExp:
      return "exp";
    case BleuSmoothing::kFloor:
      return "floor[0.10]";
    case BleuSmoothing::kAddK:
      return "add-k[1.00]";
    case BleuSmoothing::kNone:
      return "none";
  }
  return "";
}

class Bleu final : public CorpusMetric {
 public:
  explicit Bleu(const BleuOptions& options) : options_(options) {}

  std::string Name() const override { return "BLEU"; }

  std::string Signature(int64_t num_references) const override {
    BleuScore bleu;
    bleu.num_references = num_references;
    bleu.options = options_;
    return bleu.Signature();
  }

  absl::StatusOr<SegmentCounts> Count(
      absl::Span<const std::string> hypotheses,
      const std::vector<std::vector<std::string>>& references) const override {
    SEQ2SEQ_ASSIGN_OR_RETURN(const Segments corpus, AlignSegments(hypotheses, references));
    SegmentCounts counts(2 * BleuScore::kMaxOrder + 2, corpus.num_references);
    for (const Segment& segment : corpus.segments) {
      BleuScore bleu;
      bleu.options = options_;
      AddSegment(segment, bleu);
      std::vector<double> row(bleu.matches.begin(), bleu.matches.end());
      row.insert(row.end(), bleu.totals.begin(), bleu.totals.end());
      row.push_back(static_cast<double>(bleu.hypothesis_length));
      row.push_back(static_cast<double>(bleu.reference_length));
      counts.Append(row);
    }
    return counts;
  }

  double Score(absl::Span<const double> sum) const override {
    BleuScore bleu;
    bleu.options = options_;
    for (size_t n = 0; n < BleuScore::kMaxOrder; ++n) {
      bleu.matches[n] = static_cast<int64_t>(sum[n]);
      bleu.totals[n] = static_cast<int64_t>(sum[BleuScore::kMaxOrder + n]);
    }
    bleu.hypothesis_length = static_cast<int64_t>(sum[2 * BleuScore::kMaxOrder]);
    bleu.reference_length = static_cast<int64_t>(sum[2 * BleuScore::kMaxOrder + 1]);
    Finish(bleu);
    return bleu.score;
  }

 private:
  const BleuOptions options_;
};

}  // namespace

double BleuScore::LengthRatio() const {
  if (reference_length == 0) return 0;
  return static_cast<double>(hypothesis_length) / static_cast<double>(reference_length);
}

double BleuScore::Order(size_t max_order) const {
  if (max_order < 1 || max_order > kMaxOrder) return 0;
  double log_precisions = 0;
  for (size_t n = 0; n < max_order; ++n) log_precisions += std::log(precisions[n]);
  return brevity_penalty * std::exp(log_precisions / static_cast<double>(max_order));
}

std::string BleuScore::Signature() const {
  return FormatSignature(num_references, options.lowercase,
                         absl::StrCat("eff:no|tok:", TokenizationWithLanguage(options),
                                      "|smooth:", SmoothingName(options.smoothing)));
}

absl::StatusOr<BleuScore> CorpusBleu(absl::Span<const std::string> hypotheses,
                                     const std::vector<std::vector<std::string>>& references,
                                     const BleuOptions& options) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const Segments corpus, AlignSegments(hypotheses, references));
  BleuScore bleu;
  bleu.options = options;
  bleu.num_references = corpus.num_references;
  for (const Segment& segment : corpus.segments) AddSegment(segment, bleu);
  Finish(bleu);
  return bleu;
}

std::unique_ptr<const CorpusMetric> MakeBleu(const BleuOptions& options) {
  return std::make_unique<Bleu>(options);
}

}  // namespace seq2seq
