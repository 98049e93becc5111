// The beam of one sentence.
#ifndef SEQ2SEQ_SEARCH_SENTENCE_BEAM_H_
#define SEQ2SEQ_SEARCH_SENTENCE_BEAM_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"

#include "seq2seq/search/constraints.h"
#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/logits_processor.h"
#include "seq2seq/search/partial_hypothesis.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/search_options.h"

namespace seq2seq {

// A possible next token of a live hypothesis.
struct Continuation {
  size_t row = 0;  // Of the hypothesis, within its sentence.
  int32_t token = 0;
  double score = 0;  // Log-probability of the token, with its penalty.
  double total = 0;  // Sum of the scores up to and including the token.
};

// Live and finished hypotheses of one sentence. In each time step Expand finds the continuations of
// each hypothesis, and Advance selects among them all. Options and task must outlive it.
class SentenceBeam {
 public:
  SentenceBeam(const SearchOptions& options, const SearchTask& task);

  // Number of live hypotheses.
  size_t size() const { return live_.size(); }
  bool done() const { return live_.empty(); }

  // The row of the previous time step that hypothesis `row` continues, and the token it added.
  size_t parent(size_t row) const { return live_[row].parent; }
  int32_t last_token(size_t row) const { return live_[row].hypothesis.generated().back(); }

  // The best continuations of hypothesis `row`, best first; overwrites `scores`.
  std::vector<Continuation> Expand(size_t row, const ScoreRow& scores) const;

  // Advances one time step: `continuations` holds those of each hypothesis; `attention` returns the
  // attention weights of a row.
  void Advance(absl::Span<const std::vector<Continuation>> continuations,
               absl::FunctionRef<absl::Span<const float>(size_t row)> attention);

  // Whether any hypothesis is finished.
  bool has_finished() const { return !finished_.empty(); }

  // The tokens with which the best hypothesis will certainly begin: those that the live hypotheses
  // and the best finished one share. `known` of them were certain in an earlier time step, and are
  // not compared again. Valid until Advance; not when done.
  absl::Span<const int32_t> CertainTokens(size_t known) const;

  // The n-best list, best first.
  std::vector<Hypothesis> NBest() &&;

 private:
  using Attention = absl::FunctionRef<absl::Span<const float>(size_t row)>;

  struct Live {
    PartialHypothesis hypothesis;
    ConstraintProgress progress;
    size_t group = 0;   // Of diverse beam search.
    size_t parent = 0;  // Row of the previous time step.
  };

  int64_t length() const { return static_cast<int64_t>(live_[0].hypothesis.generated().size()); }
  size_t width() const { return static_cast<size_t>(options_.beam / options_.groups); }
  bool IsAllowed(const Live& live, int32_t token) const;
  Live Extended(const Continuation& continuation, Attention attention) const;
  void Finish(Live ended);
  // Takes the best continuations of a group, in their order; returns their tokens.
  std::set<int32_t> Take(absl::Span<const Continuation> best, Attention attention,
                         std::vector<Live>& next);
  // The best continuations of a group; `before` counts the earlier groups that chose each token.
  std::vector<Continuation> BestOfGroup(size_t group,
                                        absl::Span<const std::vector<Continuation>> continuations,
                                        const std::map<int32_t, int>& before) const;
  // The best continuations, divided equally by number of met constraint tokens (banks).
  std::vector<Continuation> BestOfBanks(
      absl::Span<const std::vector<Continuation>> continuations) const;
  // Removes hypotheses whose group has finished enough, or that cannot win any more.
  void Prune(std::vector<Live>& next) const;

  const SearchOptions& options_;
  const SearchTask& task_;
  LogitsProcessor rules_;
  std::unique_ptr<const Constraints> constraints_;  // At a fixed address: hypotheses point to it.
  std::vector<Live> live_;                          // Best first in each group, group after group.
  std::vector<Hypothesis> finished_;                // Unordered.
  std::vector<size_t> finished_of_;                 // Number for each group.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SENTENCE_BEAM_H_
