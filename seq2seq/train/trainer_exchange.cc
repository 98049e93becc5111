// What a trainer exchanges with those of other processes.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include <torch/torch.h>

#include "seq2seq/base/status_macros.h"
#include "seq2seq/train/gradient.h"
#include "seq2seq/train/gradient_exchange.h"
#include "seq2seq/train/replicas.h"
#include "seq2seq/train/stopwatch.h"
#include "seq2seq/train/trainer.h"

namespace seq2seq {

void Trainer::Exchange(const Stopwatch& stopwatch, int64_t planned_tokens, LossSums& loss) {
  const double waited = exchange_->waiting_seconds();
  const double now = stopwatch.Seconds();
  double sums[] = {loss.nll,
                   loss.correct,
                   static_cast<double>(loss.tokens),
                   IsStopRequested() ? 1.0 : 0.0,
                   IsFirst() ? state_.seconds + late_seconds_ + now : 0.0,
                   last_wait_};
  exchange_->Finish(absl::MakeSpan(sums));
  loss = {sums[0], sums[1], static_cast<int64_t>(sums[2])};
  stop_agreed_ = sums[3] > 0;
  state_.seconds = sums[4];
  late_seconds_ = -now;
  sums_.exchanging += sums[5] / static_cast<double>(group_->size());
  last_wait_ = exchange_->waiting_seconds() - waited;
  CountSentBytes();
  // Resampled subwords are not those of the plan. Sampled outputs are weighted by its tokens.
  if (loss.tokens != planned_tokens && !hooks_.sample_outputs) {
    ScaleGradients(parameters_,
                   static_cast<double>(planned_tokens) / static_cast<double>(loss.tokens));
  }
}

absl::Status Trainer::Synchronize(int64_t update, const Stopwatch& stopwatch) {
  const double now = stopwatch.Seconds();
  const Stopwatch exchange;
  // Updates without an exchange add up to what one process is slower by.
  SEQ2SEQ_RETURN_IF_ERROR(group_->Meet());
  torch::Tensor sums = torch::tensor(
      {IsStopRequested() ? 1.0 : 0.0, IsFirst() ? state_.seconds + late_seconds_ + now : 0.0,
       static_cast<double>(skipped_here_),
       state_.skipped_in_a_row > options_.max_skipped ? 1.0 : 0.0},
      torch::kFloat64);
  group_->Sum(sums);
  AverageReplicas(StateTensors(), *group_);
  sums_.exchanging += exchange.Seconds();
  CountSentBytes();
  const auto* all = sums.data_ptr<double>();
  stop_agreed_ = all[0] > 0;
  state_.seconds = all[1];
  late_seconds_ = -now;
  state_.skipped += static_cast<int64_t>(all[2]);
  skipped_here_ = 0;
  if (all[3] == 0) return absl::OkStatus();
  const bool failed = state_.skipped_in_a_row > options_.max_skipped;
  std::vector<std::string> causes = group_->Gather(failed ? failure_here_ : "");
  causes.erase(std::remove(causes.begin(), causes.end(), ""), causes.end());
  return Recover(update, absl::StrJoin(causes, "; "));
}

void Trainer::CountSentBytes() {
  sums_.sent_bytes += group_->sent_bytes() - counted_bytes_;
  counted_bytes_ = group_->sent_bytes();
}

void Trainer::AddUpProgress() {
  ProgressSums& sums = sums_;
  torch::Tensor all = torch::tensor(
      {sums.nll, sums.correct, static_cast<double>(sums.tokens), sums.gradient_norm,
       static_cast<double>(sums.updates), sums.waiting, sums.exchanging, sums.sent_bytes},
      torch::kFloat64);
  group_->Sum(all);
  const auto* values = all.data_ptr<double>();
  const auto processes = static_cast<double>(group_->size());
  sums.nll = values[0];
  sums.correct = values[1];
  sums.tokens = static_cast<int64_t>(values[2]);
  sums.gradient_norm = values[3];
  sums.updates = static_cast<int64_t>(values[4]);
  sums.waiting = values[5] / processes;
  sums.exchanging = values[6] / processes;
  sums.sent_bytes = values[7];
}

void Trainer::KeepReplicasEqual() {
  if (AreReplicasEqual(parameters_, *group_)) return;
  CopyReplicas(StateTensors(), *group_);
  if (!IsFirst() || warned_of_rounding_) return;
  warned_of_rounding_ = true;
  Warn(absl::StrCat("update ", state_.update,
                    ": the processes round differently, as on different processors; each "
                    "validation sets all to the weights of rank 0"));
}

}  // namespace seq2seq
