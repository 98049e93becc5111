// Partial hypothesis: generated tokens with scores, attention weights and coverage.
#ifndef SEQ2SEQ_SEARCH_PARTIAL_HYPOTHESIS_H_
#define SEQ2SEQ_SEARCH_PARTIAL_HYPOTHESIS_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"

#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/search_options.h"

namespace seq2seq {

// A hypothesis that search extends token by token. A value; copies share the attention weights.
// Options and task must outlive it.
//
//   PartialHypothesis hypothesis(options, task);
//   hypothesis.Append(token, score, penalty, [&] { return scorer.Attention(row); });
//   …
//   hypothesis.Append(kEosId, …);
//   Hypothesis finished = std::move(hypothesis).Finish();
class PartialHypothesis {
 public:
  PartialHypothesis(const SearchOptions& options, const SearchTask& task)
      : options_(&options), task_(&task) {}

  const TokenIds& generated() const { return hypothesis_.tokens; }

  // Sum of the scores of the tokens, before length normalisation.
  double total() const { return total_; }

  // Appends `token`, or ends the hypothesis with kEosId. `score` is the log-probability of the
  // token times `penalty`, the factor of the repetition penalty. `attention` returns the attention
  // weights of the time step, [source]; it is called only if they are requested or penalised.
  void Append(int32_t token, double score, double penalty,
              absl::FunctionRef<absl::Span<const float>()> attention);

  // The hypothesis after its end of sentence, with its score by length normalisation and coverage
  // penalty.
  Hypothesis Finish() &&;

 private:
  const SearchOptions* options_;
  const SearchTask* task_;
  Hypothesis hypothesis_;
  double total_ = 0;
  std::vector<float> coverage_;  // [source], if there is a coverage penalty.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_PARTIAL_HYPOTHESIS_H_
