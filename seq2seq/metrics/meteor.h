// METEOR with exact and stem matches, the part of METEOR that needs no resources but a stemmer.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(MeteorScore meteor, CorpusMeteor(captions, references));
//   std::cout << meteor.Name() << " = " << meteor.score << "\n";  // METEOR (exact+stem) = …
//
// This is the score of Banerjee and Lavie 2005, "METEOR: An Automatic Metric for MT Evaluation with
// Improved Correlation with Human Judgments", over the alignment of Denkowski and Lavie 2014,
// "Meteor Universal". The METEOR that papers on captions report is version 1.5: it also matches
// synonyms and paraphrases, discounts function words, and has tuned weights. So these scores rank
// systems, but are not comparable with those in papers: publish them under Name().
#ifndef SEQ2SEQ_METRICS_METEOR_H_
#define SEQ2SEQ_METRICS_METEOR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/metrics/corpus_metric.h"

namespace seq2seq {

struct MeteorOptions {
  std::string stemmer = "english";  // See Stemmer: the language of the text, or "porter".
};

struct MeteorScore {
  // 0 to 100: F (1 - 0.5 (chunks / matches)³) with F = 10 P R / (R + 9 P), P and R being the
  // matches over the lengths. From the sums over all segments, as for BLEU.
  double score = 0;

  int64_t matches = 0;  // Words of the hypotheses whose stem is that of a word of the reference.
  int64_t chunks = 0;   // Runs of matches contiguous in the same order on both sides.
  int64_t hypothesis_length = 0;
  int64_t reference_length = 0;

  int64_t num_references = 0;  // Per segment; 0 where that differs.
  MeteorOptions options;

  // "METEOR (exact+stem)".
  std::string Name() const;
};

// Scores hypotheses against references[reference][segment]; each segment against the reference
// that scores best.
//
// Words are separated by spaces, and should be in lower case: see NormalizeCaption for captions. An
// empty line stands for a missing reference if the segment has another one. Returns InvalidArgument
// without references, where the counts differ, and for an unknown stemmer. For the time see
// AlignWords. Thread-safe.
absl::StatusOr<MeteorScore> CorpusMeteor(absl::Span<const std::string> hypotheses,
                                         const std::vector<std::vector<std::string>>& references,
                                         const MeteorOptions& options = {});

// The same as a metric; of a row, the counts are those of MeteorScore in order. InvalidArgument for
// an unknown stemmer.
absl::StatusOr<std::unique_ptr<const CorpusMetric>> MakeMeteor(const MeteorOptions& options = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_METEOR_H_
