#include "seq2seq/search/ensemble_scorer.h"

#include <cmath>
#include <utility>

#include <torch/torch.h>

namespace seq2seq {

EnsembleScorer::EnsembleScorer(std::vector<std::unique_ptr<Scorer>> members, EnsembleMean mean)
    : members_(std::move(members)), mean_(mean) {
  TORCH_CHECK(!members_.empty(), "an ensemble needs at least one member");
}

StepScores EnsembleScorer::Step(absl::Span<const Extension> rows) {
  if (members_.size() == 1) return members_[0]->Step(rows);
  std::vector<torch::Tensor> of_members;
  absl::Span<const int32_t> tokens;
  for (const auto& member : members_) {
    const StepScores step = member->Step(rows);
    of_members.push_back(LogProbabilities(step));
    tokens = step.tokens;
  }
  const torch::Tensor all = torch::stack(of_members);  // [member, row, vocab]
  if (mean_ == EnsembleMean::kProbability) {
    scores_ = torch::logsumexp(all, 0) - std::log(static_cast<double>(members_.size()));
    normalizers_ = torch::zeros({scores_.size(0)});
  } else {
    scores_ = all.mean(0);
    normalizers_ = torch::logsumexp(scores_, 1);
  }
  return {{scores_.data_ptr<float>(), scores_.size(0), scores_.size(1), scores_.size(1)},
          {normalizers_.data_ptr<float>(), rows.size()},
          tokens};
}

}  // namespace seq2seq
