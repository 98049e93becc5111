#include "seq2seq/metrics/sentence_metric.h"

#include <cstddef>
#include <utility>

#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/bleu.h"
#include "seq2seq/metrics/caption.h"
#include "seq2seq/metrics/cider.h"
#include "seq2seq/metrics/mapped_metric.h"

namespace seq2seq {

absl::StatusOr<std::unique_ptr<const CorpusMetric>> MakeSentenceMetric(
    MetricKind kind, const MetricOptions& options,
    const std::vector<std::vector<std::string>>& corpus) {
  if (kind == MetricKind::kF1)
    return absl::InvalidArgumentError("f1 is a metric of a corpus, which no single line has");
  if (kind == MetricKind::kBleu) {
    auto bleu = MakeBleu({.tokenization = options.tokenize,
                          .language = options.language,
                          .lowercase = options.lowercase,
                          .smoothing = BleuSmoothing::kAddK});
    if (options.tokenize != Tokenization::kSubwords) return bleu;
    if (options.subwords) return MakeMappedMetric(std::move(bleu), options.subwords);
    return absl::InvalidArgumentError("tokenize: subwords needs a tokenizer");
  }
  if (kind == MetricKind::kCaptionBleu) {
    return MakeCaptionMetric(
        MakeBleu({.tokenization = Tokenization::kNone, .smoothing = BleuSmoothing::kAddK}));
  }
  if (kind == MetricKind::kCider) {
    std::vector<std::vector<std::string>> normalized;
    for (const std::vector<std::string>& reference : corpus) {
      std::vector<std::string>& lines = normalized.emplace_back();
      for (const std::string& line : reference) lines.push_back(NormalizeCaption(line));
    }
    SEQ2SEQ_ASSIGN_OR_RETURN(auto cider, MakeCider(normalized));
    return MakeCaptionMetric(std::move(cider));
  }
  return MakeMetric(kind, options);
}

absl::StatusOr<std::vector<double>> ScoreSentences(
    const CorpusMetric& metric, absl::Span<const std::string> hypotheses,
    const std::vector<std::vector<std::string>>& references) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const SegmentCounts counts, metric.Count(hypotheses, references));
  const double unit = (metric.LowerIsBetter() ? -1 : 1) * (metric.Name() == "CIDEr-D" ? 1 : 0.01);
  std::vector<double> scores;
  for (size_t i = 0; i < counts.size(); ++i) scores.push_back(unit * metric.Score(counts[i]));
  return scores;
}

}  // namespace seq2seq
