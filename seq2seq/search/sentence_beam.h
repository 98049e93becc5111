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
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/search_options.h"
#include "seq2seq/search/token_rules.h"

namespace seq2seq {

// A token that a live hypothesis may go on with.
struct Continuation {
  size_t row = 0;  // Of the hypothesis, among those of its sentence.
  int32_t token = 0;
  double score = 0;  // The log-probability of the token, with its penalty.
  double total = 0;  // That of the whole.
};

// The hypotheses of one sentence, alive and finished. Each step Expand finds the continuations of
// each hypothesis, and Advance chooses among them all. Options and task must outlive it.
class SentenceBeam {
 public:
  SentenceBeam(const SearchOptions& options, const SearchTask& task);

  // Hypotheses that the next step goes on with.
  size_t size() const { return live_.size(); }
  bool done() const { return live_.empty(); }

  // The row of the step before that hypothesis `row` goes on from, and the token that it said then.
  size_t parent(size_t row) const { return live_[row].parent; }
  int32_t last_token(size_t row) const { return live_[row].hypothesis.tokens.back(); }

  // The best continuations of hypothesis `row`, best first; overwrites `scores`.
  std::vector<Continuation> Expand(size_t row, const ScoreRow& scores) const;

  // Moves on: `continuations` holds those of each hypothesis; `attention` tells where the step of a
  // row looked.
  void Advance(absl::Span<const std::vector<Continuation>> continuations,
               absl::FunctionRef<absl::Span<const float>(size_t row)> attention);

  // Whether any hypothesis finished. Until then those of a beam of one begin as the best will.
  bool has_finished() const { return !finished_.empty(); }

  // The n best that finished, best first.
  std::vector<Hypothesis> NBest() &&;

 private:
  using Attention = absl::FunctionRef<absl::Span<const float>(size_t row)>;

  struct Live {
    Hypothesis hypothesis;
    ConstraintProgress progress;
    double total = 0;           // Of log-probabilities, with penalties.
    size_t group = 0;           // Of the beam.
    size_t parent = 0;          // Row of the step before.
    std::vector<float> looked;  // At each place of the source so far, if coverage counts.
  };

  int64_t length() const { return static_cast<int64_t>(live_[0].hypothesis.tokens.size()); }
  size_t width() const { return static_cast<size_t>(options_.beam / options_.groups); }
  bool IsAllowed(const Live& live, int32_t token) const;
  Live Extended(const Continuation& continuation, Attention attention) const;
  void Finish(Live ended);
  // Takes the best of a group, in their order; returns their tokens.
  std::set<int32_t> Take(absl::Span<const Continuation> best, Attention attention,
                         std::vector<Live>& next);
  // The best continuations of a group, given how many groups before have chosen each token.
  std::vector<Continuation> BestOfGroup(size_t group,
                                        absl::Span<const std::vector<Continuation>> continuations,
                                        const std::map<int32_t, int>& before) const;
  // The best continuations, an equal share for each number of constraint tokens met.
  std::vector<Continuation> BestOfBanks(
      absl::Span<const std::vector<Continuation>> continuations) const;
  // Ends what has found enough, or can not win.
  void Prune(std::vector<Live>& next) const;

  const SearchOptions& options_;
  const SearchTask& task_;
  TokenRules rules_;
  std::unique_ptr<const Constraints> constraints_;  // Of which hypotheses know the address.
  std::vector<Live> live_;                          // Best first in each group, group after group.
  std::vector<Hypothesis> finished_;                // In no order.
  std::vector<size_t> finished_of_;                 // How many of each group.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SENTENCE_BEAM_H_
