#include "seq2seq/metrics/corpus_metric.h"

#include <utility>

#include "absl/status/status.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/bleu.h"
#include "seq2seq/metrics/caption.h"
#include "seq2seq/metrics/chrf.h"
#include "seq2seq/metrics/cider.h"
#include "seq2seq/metrics/error_rate.h"
#include "seq2seq/metrics/f1.h"
#include "seq2seq/metrics/mapped_metric.h"
#include "seq2seq/metrics/meteor.h"
#include "seq2seq/metrics/rouge.h"

namespace seq2seq {

std::vector<double> SegmentCounts::Sum() const {
  std::vector<double> sum(width);
  for (size_t i = 0; i < values.size(); ++i) sum[i % width] += values[i];
  return sum;
}

absl::StatusOr<std::unique_ptr<const CorpusMetric>> MakeMetric(MetricKind kind,
                                                               const MetricOptions& options) {
  const auto error_rate = [&](const char* name, ErrorScore score, ErrorUnit unit) {
    return MakeErrorRate(name, score, {.unit = unit, .lowercase = options.lowercase});
  };
  switch (kind) {
    case MetricKind::kBleu: {
      auto bleu = MakeBleu({.tokenization = options.tokenize,
                            .language = options.language,
                            .lowercase = options.lowercase});
      if (options.tokenize != Tokenization::kSubwords) return bleu;
      if (options.subwords) return MakeMappedMetric(std::move(bleu), options.subwords);
      return absl::InvalidArgumentError("tokenize: subwords needs a tokenizer");
    }
    case MetricKind::kChrf:
      return MakeChrf({.lowercase = options.lowercase});
    case MetricKind::kChrfWords:
      return MakeChrf({.word_order = 2, .lowercase = options.lowercase});
    case MetricKind::kCaptionBleu:
      return MakeCaptionMetric(
          MakeBleu({.tokenization = Tokenization::kNone, .smoothing = BleuSmoothing::kNone}));
    case MetricKind::kMeteor: {
      SEQ2SEQ_ASSIGN_OR_RETURN(auto meteor, MakeMeteor({.stemmer = options.stemmer}));
      return MakeCaptionMetric(std::move(meteor));
    }
    case MetricKind::kRougeL:
      return MakeCaptionMetric(MakeRougeL());
    case MetricKind::kCider:
      return MakeCaptionMetric(MakeCider());
    case MetricKind::kAccuracy:
      return error_rate("accuracy", ErrorScore::kAccuracy, ErrorUnit::kToken);
    case MetricKind::kF1:
      return MakeF1(options.lowercase);
    case MetricKind::kWer:
      return error_rate("WER", ErrorScore::kRate, ErrorUnit::kToken);
    case MetricKind::kCer:
      return error_rate("CER", ErrorScore::kRate, ErrorUnit::kCharacter);
    case MetricKind::kPer:
      return error_rate("PER", ErrorScore::kRate, ErrorUnit::kToken);
  }
  return absl::InvalidArgumentError("there is no such metric");
}

}  // namespace seq2seq
