// Minimum Bayes risk decoding (Kumar & Byrne 2004, Eikema & Aziz 2020).
#ifndef SEQ2SEQ_SEARCH_BAYES_RISK_H_
#define SEQ2SEQ_SEARCH_BAYES_RISK_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"

#include "seq2seq/metrics/corpus_metric.h"
#include "seq2seq/search/candidate.h"
#include "seq2seq/search/interrupt.h"
#include "seq2seq/search/search_options.h"

namespace seq2seq {

// Ranks translations of a sentence by their expected score against each other. Of samples each
// counts once; the others count with their probability under the model, of which the list is
// supposed to have all. Thread-safe.
class BayesRisk {
 public:
  // `options.mbr` is not none.
  explicit BayesRisk(const SearchOptions& options);

  // Sorts `candidates`, best first, and sets their scores to the expected ones: as ScoreSentences.
  // Equal ones keep their order. Costs a sentence score for each pair of different texts: of 32,
  // some 20 ms with chrf. Returns the error of `interrupt` once that is raised, which it checks
  // after the scores of each text.
  absl::Status Rank(std::vector<Candidate>& candidates, const Interrupt& interrupt = {}) const;

 private:
  std::unique_ptr<const CorpusMetric> metric_;
  bool sampled_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_BAYES_RISK_H_
