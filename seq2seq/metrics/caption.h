// Metrics of image captions: BLEU, METEOR, ROUGE-L, CIDEr, distinct captions.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(CaptionScores scores, ScoreCaptions(captions, references));
//   std::cout << "BLEU-4 " << scores.bleu.Order(4) << ", CIDEr-D " << scores.cider.cider_d << "\n";
//
// BLEU, ROUGE-L and CIDEr-D agree with coco-caption on text that is normalised alike; its METEOR
// needs resources that are not included, see meteor.h.
#ifndef SEQ2SEQ_METRICS_CAPTION_H_
#define SEQ2SEQ_METRICS_CAPTION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "seq2seq/metrics/bleu.h"
#include "seq2seq/metrics/cider.h"
#include "seq2seq/metrics/corpus_metric.h"
#include "seq2seq/metrics/meteor.h"

namespace seq2seq {

// Normalises a caption for comparison: lower case, hyphens and dashes become spaces, of all else
// only the letters (with their accents) and the numbers of all scripts are kept, and one space
// between words. Linear in the line; bytes that are not UTF-8 are removed.
//
//   NormalizeCaption("A T-shirt's 2 \"prints\".")  // "a t shirts 2 prints"
std::string NormalizeCaption(absl::string_view line);

struct CaptionOptions {
  std::string stemmer = "english";  // For METEOR; see Stemmer.
};

struct CaptionScores {
  BleuScore bleu;  // Without smoothing. BLEU-n is bleu.Order(n), length ratio bleu.LengthRatio().
  MeteorScore meteor;
  double rouge_l = 0;  // 0 to 100.
  CiderScore cider;

  // Distinct captions, in percent of all hypotheses; 0 without any. A model that generates the same
  // caption for every image may score well otherwise, but not here.
  double distinct = 0;

  // To publish with the scores: "nrefs:4|case:lc|norm:caption|stem:english|version:seq2seq-0.1.0".
  std::string Signature() const;
};

// Normalises hypotheses and references[reference][image] and scores them. A reference that is empty
// once normalised is missing if the image has another one. Returns InvalidArgument without
// references, where the counts differ, and for an unknown stemmer. Takes some 0.1 ms for a caption
// and a reference. Thread-safe.
absl::StatusOr<CaptionScores> ScoreCaptions(absl::Span<const std::string> hypotheses,
                                            const std::vector<std::vector<std::string>>& references,
                                            const CaptionOptions& options = {});

// `metric` of captions that are normalised first, on both sides.
std::unique_ptr<const CorpusMetric> MakeCaptionMetric(std::unique_ptr<const CorpusMetric> metric);

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_CAPTION_H_
