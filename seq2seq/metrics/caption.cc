#include "seq2seq/metrics/caption.h"

#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/mapped_metric.h"
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
  return MakeMappedMetric(std::move(metric),
                          [](const std::string& line) { return NormalizeCaption(line); },
                          {{"case:mixed", "case:lc"}, {"tok:none", "norm:caption"}});
}

}  // namespace seq2seq
