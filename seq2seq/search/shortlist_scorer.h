// Lexical shortlists of the sentences of a batch, applied to a scorer.
#ifndef SEQ2SEQ_SEARCH_SHORTLIST_SCORER_H_
#define SEQ2SEQ_SEARCH_SHORTLIST_SCORER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/search/batch_shortlist.h"
#include "seq2seq/search/scorer.h"

namespace seq2seq {

// The scores of a scorer of the union of a batch's shortlists, of which each row keeps those of its
// sentence's own: they move to the front of the row and are normalised anew, with the tail. A
// sentence is scored as if it were alone. Costs a pass over the remaining scores.
class ShortlistScorer : public Scorer {
 public:
  // `scorer` was made for shortlist.tokens(); the shortlists, which differ, must outlive it.
  ShortlistScorer(std::unique_ptr<Scorer> scorer, const BatchShortlist& shortlist);

  int64_t batch() const override { return scorer_->batch(); }
  StepScores Step(absl::Span<const Extension> rows) override;
  absl::Span<const float> Attention(size_t row) const override { return scorer_->Attention(row); }

 private:
  const std::unique_ptr<Scorer> scorer_;
  const BatchShortlist& shortlist_;
  std::vector<float> normalizers_;                     // [row]
  std::vector<absl::Span<const int32_t>> row_tokens_;  // [row]
  std::vector<int64_t> summed_columns_;                // [row]
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SHORTLIST_SCORER_H_
