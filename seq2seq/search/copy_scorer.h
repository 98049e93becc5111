// Copying of source subwords in search.
#ifndef SEQ2SEQ_SEARCH_COPY_SCORER_H_
#define SEQ2SEQ_SEARCH_COPY_SCORER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/search/scorer.h"

namespace seq2seq {

// The scores of a scorer whose model copies, with what is copied (the pointer-generator, See et al.
// 2017): with the probability of copying k, p(w) = (1 - k) q(w) + k (the attention to the source
// positions that hold w). Costs the length of the source for each row.
class CopyScorer : public Scorer {
 public:
  CopyScorer(std::unique_ptr<Scorer> scorer, absl::Span<const SourceInput* const> sources);

  int64_t batch() const override { return scorer_->batch(); }
  StepScores Step(absl::Span<const Extension> rows) override;
  absl::Span<const float> Attention(size_t row) const override { return scorer_->Attention(row); }

 private:
  // The different tokens of a source with its end of sentence, ascending, and the place among these
  // of each position.
  struct SourceTokens {
    std::vector<int32_t> tokens;
    std::vector<size_t> places;
  };

  const std::unique_ptr<Scorer> scorer_;
  std::vector<SourceTokens> sources_;  // [sentence]
  std::vector<float> normalizers_;     // [row]
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_COPY_SCORER_H_
