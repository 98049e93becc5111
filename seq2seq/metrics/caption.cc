#include "seq2seq/metrics/caption.h"

#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/rouge.h"
#include "seq2seq/metrics/segments.h"
#include "seq2seq/metrics/unicode.h"

namespace seq2seq {
namespace {

std::vector<std::string> NormalizeAll(absl::Span<const std::string> lines) {
  std::vector<std::string> normalized;
  normalized.reserve(lines.size());
  for (const std::string& line : lines) normalized.push_back(NormalizeCaption(line));
  return normalized;
}

std::vector<std::vector<std::string>> NormalizeAll(
    const std::vector<std::vector<std::string>>& texts) {
  std::vector<std::vector<std::string>> normalized;
  for (const std::vector<std::string>& lines : texts) normalized.push_back(NormalizeAll(lines));
  return normalized;
}

class CaptionMetric final : public CorpusMetric {
 public:
  explicit CaptionMetric(std::unique_ptr<const CorpusMetric> metric) : metric_(std::move(metric)) {}

  std::string Name() const override { return metric_->Name(); }

  std::string Signature(int64_t num_references) const override {
    return absl::StrReplaceAll(metric_->Signature(num_references),
                               {{"case:mixed", "case:lc"}, {"tok:none", "norm:caption"}});
  }

  bool LowerIsBetter() const override { return metric_->LowerIsBetter(); }

  absl::StatusOr<SegmentCounts> Count(
      absl::Span<const std::string> hypotheses,
      const std::vector<std::vector<std::string>>& references) const override {
    return metric_->Count(NormalizeAll(hypotheses), NormalizeAll(references));
  }

  double Score(absl::Span<const double> sum) const override { return metric_->Score(sum); }

 private:
  const std::unique_ptr<const CorpusMetric> metric_;
};

double DistinctPercent(const std::vector<std::string>& captions) {
  if (captions.empty()) return 0;
  const absl::flat_hash_set<absl::string_view> distinct(captions.begin(), captions.end());
  return 100 * static_cast<double>(distinct.size()) / static_cast<double>(captions.size());
}

}  // namespace

std::string NormalizeCaption(absl::string_view line) {
  std::u32string kept;
  for (const char32_t c : ToLower(DecodeUtf8(line))) {
    if (IsSpace(c) || IsDash(c)) {
      kept += U' ';
    } else if (IsLetter(c) || IsMark(c) || IsNumber(c)) {
      kept += c;
    }
  }
  std::u32string normalized;
  for (const std::u32string_view word : SplitAtSpaces(kept)) {
    if (!normalized.empty()) normalized += U' ';
    normalized += word;
  }
  return EncodeUtf8(normalized);
}

std::string CaptionScores::Signature() const {
  return FormatSignature(bleu.num_references, /*lowercase=*/true,
                         absl::StrCat("norm:caption|stem:", meteor.options.stemmer));
}

absl::StatusOr<CaptionScores> ScoreCaptions(absl::Span<const std::string> hypotheses,
                                            const std::vector<std::vector<std::string>>& references,
                                            const CaptionOptions& options) {
  const std::vector<std::string> captions = NormalizeAll(hypotheses);
  const std::vector<std::vector<std::string>> others = NormalizeAll(references);

  CaptionScores scores;
  SEQ2SEQ_ASSIGN_OR_RETURN(scores.bleu, CorpusBleu(captions, others,
                                                   {.tokenization = Tokenization::kNone,
                                                    .smoothing = BleuSmoothing::kNone}));
  SEQ2SEQ_ASSIGN_OR_RETURN(scores.meteor,
                           CorpusMeteor(captions, others, {.stemmer = options.stemmer}));
  SEQ2SEQ_ASSIGN_OR_RETURN(scores.rouge_l, CorpusRougeL(captions, others));
  SEQ2SEQ_ASSIGN_OR_RETURN(scores.cider, CorpusCider(captions, others));
  scores.distinct = DistinctPercent(captions);
  return scores;
}

std::unique_ptr<const CorpusMetric> MakeCaptionMetric(std::unique_ptr<const CorpusMetric> metric) {
  return std::make_unique<CaptionMetric>(std::move(metric));
}

}  // namespace seq2seq
