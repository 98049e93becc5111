// CIDEr and CIDEr-D: agreement of a caption with the consensus of reference captions (Vedantam et
// al. 2015, "CIDEr: Consensus-based Image Description Evaluation").
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(CiderScore cider, CorpusCider(captions, references));
//   std::cout << "CIDEr-D " << cider.cider_d << "\n";  // 0.788; papers often report 78.8.
//
// Captions are compared by the cosine of their n-grams' TF-IDF weights, so that words that few
// images share count most. What coco-caption, and with it nearly every paper, calls CIDEr is
// CIDEr-D.
#ifndef SEQ2SEQ_METRICS_CIDER_H_
#define SEQ2SEQ_METRICS_CIDER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/metrics/corpus_metric.h"

namespace seq2seq {

// Both from 0 to 10: ten times the mean over segments, their references and the orders 1 to 4.
struct CiderScore {
  // The plain cosine, section 4 of the paper.
  double cider = 0;

  // Section 6, harder to game: an n-gram counts no more often than in the reference, and the cosine
  // is multiplied by exp(-d² / 72) for a difference of d words in length.
  double cider_d = 0;
};

// Scores hypotheses against references[reference][segment], a segment being one image.
//
// The document frequency of an n-gram is the number of segments that have it in a reference, and
// its weight log(segments / frequency). So scores of different sets are not comparable, those of a
// few segments mean little, and that of a single one is 0.
//
// Words are separated by spaces, and case matters: see NormalizeCaption for captions. They are not
// stemmed, as in coco-caption and unlike in the paper. An empty line stands for a missing reference
// if the segment has another one. Returns zeros without segments; InvalidArgument without
// references, and where the counts differ. Linear in the text; keeps all of it in memory.
// Thread-safe.
absl::StatusOr<CiderScore> CorpusCider(absl::Span<const std::string> hypotheses,
                                       const std::vector<std::vector<std::string>>& references);

// CIDEr-D as a metric; of a row, the counts are the score of the segment and 1. The document
// frequencies are always those of all segments.
std::unique_ptr<const CorpusMetric> MakeCider();

// The same with the document frequencies of another set, corpus[reference][segment], so that single
// segments have a score, as when training for it; without one, all n-grams weigh the same. Keeps
// all of its text in memory. InvalidArgument where the counts differ.
absl::StatusOr<std::unique_ptr<const CorpusMetric>> MakeCider(
    const std::vector<std::vector<std::string>>& corpus);

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_CIDER_H_
