// A metric of a corpus as a sum over segments: what is counted in each, and the score of a sum.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(auto bleu, MakeMetric(MetricKind::kBleu));
//   SEQ2SEQ_ASSIGN_OR_RETURN(SegmentCounts counts, bleu->Count(hypotheses, references));
//   std::cout << bleu->Name() << " " << bleu->Score(counts.Sum()) << "\n";  // That of CorpusBleu.
//
// Subsets and resamples of the segments are scored without reading the text again: the bootstrap of
// significance.h sums the same rows a thousand times.
#ifndef SEQ2SEQ_METRICS_CORPUS_METRIC_H_
#define SEQ2SEQ_METRICS_CORPUS_METRIC_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/metrics/moses_language.h"
#include "seq2seq/metrics/segments.h"

namespace seq2seq {

// bleu      BLEU (bleu.h)
// chrf      chrF2, chrf++ with words: chrF2++ (chrf.h)
// bleu_4    BLEU without smoothing, meteor METEOR by exact matches and stems, rouge_l ROUGE-L,
// cider
//           CIDEr-D, of captions, which are normalised first (caption.h)
// accuracy  lines that equal a reference, in percent
// f1        macro-averaged F1 of labels (f1.h)
// wer       token error rate of words, per of phonemes, cer of characters (error_rate.h)
enum class MetricKind {
  kBleu,
  kChrf,
  kChrfWords,
  kCaptionBleu,
  kMeteor,
  kRougeL,
  kCider,
  kAccuracy,
  kF1,
  kWer,
  kCer,
  kPer,
};

inline std::vector<std::string> EnumTexts(MetricKind) {
  return {"bleu",  "chrf",     "chrf++", "bleu_4", "meteor", "rouge_l",
          "cider", "accuracy", "f1",     "wer",    "cer",    "per"};
}

struct MetricOptions {
  Tokenization tokenize = Tokenization::k13a;
  MosesLanguage language = MosesLanguage::kEnglish;
  bool lowercase = false;
  std::string stemmer = "english";

  // Of kSubwords: a line as subwords with spaces between them. Thread-safe.
  std::function<std::string(const std::string&)> subwords = {};

  template <typename V>
  void Visit(V&& visit) {
    visit("tokenize", tokenize,
          "Tokenisation for bleu. char is for languages without spaces; subwords is that of the "
          "tokenizer (spBLEU). moses is tokenizer.perl of Moses, moses-norm the same after "
          "normalize-punctuation.perl; both with lowercase give the BLEU of papers that run "
          "multi-bleu.perl on such text.");
    visit("language", language, "Language of the text, for moses and moses-norm.");
    visit("lowercase", lowercase, "Ignore upper and lower case, as those of captions always do.");
    visit("stemmer", stemmer, "Language of the captions, for meteor's stemmer.");
  }
};

// Counts of a text, a row for each segment.
struct SegmentCounts {
  size_t width;                // Counts of a segment; at least 1.
  std::vector<double> values;  // [segment, width]

  // Per segment, for the signature; 0 where that differs.
  int64_t num_references;

  SegmentCounts(size_t width, int64_t num_references)
      : width(width), num_references(num_references) {}

  size_t size() const { return values.size() / width; }
  absl::Span<const double> operator[](size_t segment) const {
    return absl::MakeConstSpan(values).subspan(segment * width, width);
  }

  // Appends the row of a segment, of `width` counts.
  void Append(absl::Span<const double> row) { values.insert(values.end(), row.begin(), row.end()); }

  // [width]
  std::vector<double> Sum() const;
};

// Thread-safe.
class CorpusMetric {
 public:
  virtual ~CorpusMetric() = default;

  // "BLEU", "chrF2++".
  virtual std::string Name() const = 0;

  // What to publish with the score: "nrefs:1|case:mixed|…|version:seq2seq-0.1.0".
  virtual std::string Signature(int64_t num_references) const = 0;

  // Whether a lower score is better, as of error rates.
  virtual bool LowerIsBetter() const { return false; }

  // Counts hypotheses against references[reference][segment]. The width depends on the references
  // alone, so that rows of several systems can be exchanged. Returns InvalidArgument without
  // references, and where the numbers of lines differ.
  virtual absl::StatusOr<SegmentCounts> Count(
      absl::Span<const std::string> hypotheses,
      const std::vector<std::vector<std::string>>& references) const = 0;

  // The score of a sum of rows, each any number of times; 0 to 100, cider 0 to 10, error rates also
  // above 100.
  virtual double Score(absl::Span<const double> sum) const = 0;
};

// InvalidArgument for a stemmer that does not exist, and for kSubwords without `subwords`.
absl::StatusOr<std::unique_ptr<const CorpusMetric>> MakeMetric(MetricKind kind,
                                                               const MetricOptions& options = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_CORPUS_METRIC_H_
