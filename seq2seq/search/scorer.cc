#include "seq2seq/search/scorer.h"

#include <utility>

#include "seq2seq/search/batch_shortlist.h"
#include "seq2seq/search/copy_scorer.h"
#include "seq2seq/search/shortlist_scorer.h"

namespace seq2seq {

std::unique_ptr<Scorer> ScoringModel::Begin(absl::Span<const SourceInput* const> sources,
                                            const BatchShortlist& shortlists) const {
  std::unique_ptr<Scorer> scorer = BeginTokens(sources, shortlists.tokens());
  if (shortlists.differs())
    scorer = std::make_unique<ShortlistScorer>(std::move(scorer), shortlists);
  // After the shortlist, since what is copied is relative to the sentence's own normaliser.
  if (copies()) scorer = std::make_unique<CopyScorer>(std::move(scorer), sources);
  return scorer;
}

}  // namespace seq2seq
