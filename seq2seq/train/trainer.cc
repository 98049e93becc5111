#include "seq2seq/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>
#include <torch/torch.h>

#include "seq2seq/base/describe_error.h"
#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/profile.h"
#include "seq2seq/base/random.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/train/freeze.h"
#include "seq2seq/train/gradient.h"
#include "seq2seq/train/gradient_exchange.h"
#include "seq2seq/train/replicas.h"
#include "seq2seq/train/stopwatch.h"
#include "seq2seq/train/validation_metrics.h"

namespace seq2seq {
namespace {

// The parameters for the optimiser: pretrained groups get a share of the learning rate.
std::vector<OptimizerGroup> OptimizerGroups(const std::vector<ParameterGroup>& groups,
                                            double pretrained_share) {
  std::vector<OptimizerGroup> with_shares;
  for (const ParameterGroup& group : groups)
    with_shares.push_back({group.parameters, group.pretrained ? pretrained_share : 1});
  return with_shares;
}

// Batches that the loader prefetches.
constexpr int64_t kPrefetch = 8;

double Bytes(const TensorMap& tensors) {
  double bytes = 0;
  for (const auto& [name, tensor] : tensors) bytes += static_cast<double>(tensor.nbytes());
  return bytes;
}

// Whether a failed write may succeed later: the disk was full or faulty.
bool MayPass(const absl::Status& status) {
  return absl::IsResourceExhausted(status) || absl::IsUnknown(status);
}

}  // namespace

Trainer::Trainer(const TrainOptions& options, const BucketOptions& buckets, Model model,
                 torch::Device device, const CorpusMix& train, const ValidationSets& valid,
                 TrainerHooks hooks, ProcessGroup* group)
    : options_(options),
      buckets_(buckets),
      run_{options.run},
      model_(std::move(model)),
      device_(device),
      train_(train),
      valid_(valid),
      hooks_(std::move(hooks)),
      groups_(model_->ParameterGroups()),
      parameters_(Parameters(*model_)),
      fine_tuned_(FineTuned(options, groups_)),
      group_(group),
      optimizer_(
          MakeOptimizer(options.optimizer, OptimizerGroups(groups_, options.fine_tune.rate))),
      log_(run_.Log()) {
  if (options.average > 0) average_.emplace(parameters_, options.average);
  if (options.quantize == WeightRounding::kInt8) rounded_.emplace(parameters_);
  if (group_ != nullptr && !IsLocal())
    exchange_ =
        std::make_unique<GradientExchange>(parameters_, *group_, options.processes.compression,
                                           /*keep_sparse=*/options.optimizer.lazy);
}

Trainer::~Trainer() = default;

absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Create(
    const TrainOptions& options, const BucketOptions& buckets, Model model, torch::Device device,
    const CorpusMix& train, const ValidationSets& valid, TrainerHooks hooks, ProcessGroup* group) {
  SEQ2SEQ_RETURN_IF_ERROR(seq2seq::Validate(options));
  std::vector<std::string> further;
  for (const ValidationSet& set : valid) {
    if (&set != &*valid.begin()) further.push_back(set.name);
  }
  SEQ2SEQ_RETURN_IF_ERROR(ValidateMetricNames(options.metric, further));
  if (!AreLosses(options.metric) && !hooks.evaluate) {
    return absl::InvalidArgumentError(
        "train.metric: all but loss and perplexity need a hook `evaluate`");
  }
  if (LearnsFromOutputs(options.objective) && !hooks.sample_outputs) {
    return absl::InvalidArgumentError(absl::StrCat("train.objective: ", EnumText(options.objective),
                                                   " needs a hook `sample_outputs`"));
  }
  if (!HasPrecision(Resolve(options.precision, device.is_cpu()), device.is_cpu())) {
    return absl::InvalidArgumentError(
        "train.precision: bf16 is not supported by this processor or this build; use "
        "train.precision=fp32");
  }
  std::unique_ptr<Trainer> trainer;
  try {
    model->to(device);
    SEQ2SEQ_RETURN_IF_ERROR(Freeze(options, model->ParameterGroups()));
    trainer.reset(new Trainer(options, buckets, std::move(model), device, train, valid,
                              std::move(hooks), group));
  } catch (const std::exception& error) {
    return ToStatus(error, "cannot set up training");
  }
  SEQ2SEQ_RETURN_IF_ERROR(trainer->Restore());
  SEQ2SEQ_RETURN_IF_ERROR(trainer->StartLoader());
  SEQ2SEQ_RETURN_IF_ERROR(trainer->PlanMemory());
  if (group != nullptr) SEQ2SEQ_RETURN_IF_ERROR(group->Meet());
  trainer->first_update_ = trainer->state_.update;
  trainer->first_seconds_ = trainer->state_.seconds;
  return trainer;
}

absl::Status Trainer::Restore() {
  if (IsFirst()) SEQ2SEQ_RETURN_IF_ERROR(ReadCheckpoint());
  if (group_ == nullptr) return absl::OkStatus();
  SEQ2SEQ_RETURN_IF_ERROR(group_->Meet());
  try {
    const std::string text = group_->Gather(IsFirst() ? ToText(state_) : "")[0];
    SEQ2SEQ_ASSIGN_OR_RETURN(state_, ParseTrainerState(text));
    saved_update_ = group_->Gather(torch::tensor(saved_update_))[0].item<int64_t>();
    CopyReplicas(StateTensors(), *group_);
  } catch (const std::exception& error) {
    return ToStatus(error, "cannot start together");
  }
  return absl::OkStatus();
}

absl::Status Trainer::ReadCheckpoint() {
  SEQ2SEQ_RETURN_IF_ERROR(LinkLatest(run_));
  // A dangling link is a damaged run, not a new one.
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(run_.Latest(), ignored))) {
    SEQ2SEQ_ASSIGN_OR_RETURN(
        state_,
        LoadCheckpoint(run_, average_ ? average_->average() : parameters_, OptimizerState()));
    const bool other_corpus = state_.corpus != train_.content();
    if (other_corpus || (state_.valid != 0 && state_.valid != valid_.content())) {
      return absl::FailedPreconditionError(absl::StrCat(
          run_.path, ": ",
          other_corpus ? "data.train or data.weights" : "data.valid or data.valid_names",
          " differs from what the run was started with; use another train.run"));
    }
    SEQ2SEQ_RETURN_IF_ERROR(LinkBest(run_, state_, options_.metric));
    saved_update_ = state_.update;
  }
  state_.corpus = train_.content();
  state_.valid = valid_.content();
  return log_.Truncate(state_.update);
}

TensorMap Trainer::StateTensors() const {
  TensorMap tensors = OptimizerState();
  for (const auto& [name, tensor] : average_ ? average_->average() : parameters_)
    tensors.emplace("weights." + name, tensor);
  return tensors;
}

absl::Status Trainer::StartLoader() {
  DataShare share;
  if (group_ != nullptr) share = {group_->rank(), group_->size(), options_.accumulate};
  try {
    loader_ = std::make_unique<Loader>(train_, buckets_, static_cast<uint64_t>(options_.seed),
                                       state_.position, hooks_.examples, kPrefetch, share,
                                       state_.batches_per_epoch);
  } catch (const std::exception& error) {
    return ToStatus(error, "cannot read the training data");
  }
  state_.batches_per_epoch = loader_->batches_per_epoch();
  return absl::OkStatus();
}

absl::Status Trainer::PlanMemory() {
  if (options_.memory == 0) return absl::OkStatus();
  // Measured with the final teacher forcing, which feeds the most predicted tokens and so takes the
  // most memory, whichever update training resumes from: batches are always split alike.
  constexpr int64_t kLate = int64_t{1} << 40;
  const TeacherForcing forcing = ForcingAt(options_.teacher_forcing, kLate);
  const auto pass = [&](const Batch& batch) {
    LossTerms terms = Terms();
    terms.scale = 0;
    if (hooks_.teach) terms.distillation = hooks_.teach(batch);
    model_->ComputeLoss(batch, forcing, terms).objective.backward();
    DropGradients(parameters_);
  };
  try {
    const ComputeGuard guard({.precision = Resolve(options_.precision, device_.is_cpu())});
    torch::manual_seed(static_cast<uint64_t>(options_.seed));
    model_->train();
    SEQ2SEQ_ASSIGN_OR_RETURN(
        memory_, MemoryPlan::Make(options_.memory,
                                  {.buckets = buckets_,
                                   .longest = LongestRow(train_, hooks_.examples),
                                   .batches = kPrefetch + options_.accumulate,
                                   .tensors = Bytes(parameters_) + Bytes(optimizer_->State()) +
                                              (exchange_ ? Bytes(parameters_) : 0) +
                                              (average_ ? Bytes(average_->average()) : 0) +
                                              (rounded_ ? Bytes(parameters_) : 0),
                                   .pass = pass,
                                   .device = device_}));
  } catch (const std::exception& error) {
    return ToStatus(error, "cannot set up training");
  }
  return absl::OkStatus();
}

absl::StatusOr<StopReason> Trainer::Run() {
  absl::StatusOr<StopReason> reason;
  try {
    reason = Loop();
  } catch (const std::exception& error) {  // Of LibTorch, mostly out of memory.
    reason = ToStatus(error, absl::StrCat("training failed after update ", state_.update));
  }
  if (group_ != nullptr && !reason.ok()) group_->Fail(reason.status());
  return reason;
}

absl::StatusOr<StopReason> Trainer::Loop() {
  stop_agreed_ = false;
  if (group_ != nullptr) counted_bytes_ = group_->sent_bytes();
  std::optional<StopReason> stop = Stop();
  if (IsFirst()) RemoveSteps(run_, state_, options_.keep_last, options_.metric);
  if (options_.tensorboard && IsFirst() && !board_) board_.emplace(run_.path, state_.update);
  if (!stop) SEQ2SEQ_RETURN_IF_ERROR(LogStart());
  const auto every = [this](int64_t updates) {
    return updates > 0 && state_.update % updates == 0;
  };
  while (!stop) {
    const int64_t before = state_.update;
    SEQ2SEQ_RETURN_IF_ERROR(Update());
    if (state_.update <= before) continue;  // Recovered: reported and saved before.
    if (every(options_.report_every)) SEQ2SEQ_RETURN_IF_ERROR(Report());
    if (every(options_.validate_every)) SEQ2SEQ_RETURN_IF_ERROR(Validate());
    stop = Stop();
    // The last save comes below.
    const bool due = every(options_.save_every) || every(options_.validate_every);
    if (due && !stop) SEQ2SEQ_RETURN_IF_ERROR(TrySave());
  }
  if (saved_update_ != state_.update) {
    // A stop request does not wait for a validation.
    if (*stop != StopReason::kRequested && !every(options_.validate_every))
      SEQ2SEQ_RETURN_IF_ERROR(Validate());
    SEQ2SEQ_RETURN_IF_ERROR(Save());
    if (group_ != nullptr) SEQ2SEQ_RETURN_IF_ERROR(group_->Meet());
  }
  return *stop;
}

std::optional<StopReason> Trainer::Stop() const {
  if (IsLocal() && state_.update % options_.processes.sync_every != 0) return std::nullopt;
  const bool requested = group_ != nullptr ? stop_agreed_ : IsStopRequested();
  return requested ? StopReason::kRequested : ReachedBound(options_, state_);
}

std::vector<Batch> Trainer::NextBatches(int64_t& tokens) {
  const PhaseTimer timer(Phase::kData);
  std::vector<Batch> batches;
  for (int64_t i = 0; i < options_.accumulate; ++i) {
    Loader::Item item = loader_->Next();
    state_.position = item.next;
    if (item.batch) batches.push_back(*std::move(item.batch));
    tokens += item.tokens;
  }
  if (exchange_) return batches;
  tokens = 0;
  for (const Batch& batch : batches) tokens += batch.target_tokens;
  return batches;
}

absl::Status Trainer::Update() {
  const Stopwatch stopwatch;
  const ComputeGuard guard({.precision = Resolve(options_.precision, device_.is_cpu())});
  ResetPhases();
  const int64_t update = state_.update + 1;
  model_->train();

  int64_t tokens = 0;
  std::vector<Batch> batches = NextBatches(tokens);
  sums_.waiting += stopwatch.Seconds();

  for (const auto& [name, parameter] : fine_tuned_) {
    parameter.requires_grad_(update > options_.fine_tune.from);
  }
  if (options_.log_norms && update % options_.report_every == 0 && !batches.empty())
    reported_batch_ = memory_.Split(batches.back()).back();
  uint64_t seed = DeriveSeed({static_cast<uint64_t>(options_.seed), static_cast<uint64_t>(update)});
  if (!IsFirst()) seed = DeriveSeed({seed, static_cast<uint64_t>(group_->rank())});
  if (hooks_.sample_outputs) {
    SEQ2SEQ_ASSIGN_OR_RETURN(batches, SampleOutputs(batches, seed));
  }
  const LossOptions loss_options = {
      hooks_.sample_outputs ? TeacherForcing() : ForcingAt(options_.teacher_forcing, update),
      Terms(), seed, std::max<int64_t>(tokens, 1), hooks_.teach};
  LossSums loss;
  {
    const RoundedInPlace rounded(rounded_);
    loss = ComputeGradient(
        model_, device_, batches, loss_options, memory_,
        [&](const std::string& warning) { Warn(absl::StrCat("update ", update, ": ", warning)); },
        exchange_.get());
  }
  if (exchange_) Exchange(stopwatch, tokens, loss);
  const int64_t recoveries = state_.recoveries;
  // A share of the data may be empty.
  if (loss.tokens > 0) SEQ2SEQ_RETURN_IF_ERROR(Apply(update, loss));

  phase_seconds_.resize(PhaseSeconds().size());
  for (size_t i = 0; i < phase_seconds_.size(); ++i) phase_seconds_[i] += PhaseSeconds()[i];
  if (IsLocal() && update % options_.processes.sync_every == 0)
    SEQ2SEQ_RETURN_IF_ERROR(Synchronize(update, stopwatch));
  if (state_.recoveries > recoveries) return absl::OkStatus();
  state_.update = update;
  if (group_ != nullptr) {
    late_seconds_ += stopwatch.Seconds();
  } else {
    state_.seconds += stopwatch.Seconds();
  }
  sums_.seconds += stopwatch.Seconds();
  return absl::OkStatus();
}

LossTerms Trainer::Terms() const {
  return {.smoothing = options_.label_smoothing,
          .guided_alignment = options_.guided_alignment,
          .sampled_softmax = options_.sampled_softmax};
}

absl::StatusOr<std::vector<Batch>> Trainer::SampleOutputs(const std::vector<Batch>& references,
                                                          uint64_t seed) {
  const PhaseTimer timer(Phase::kSampling);
  std::vector<Batch> batches;
  model_->eval();
  for (size_t i = 0; i < references.size(); ++i) {
    SEQ2SEQ_ASSIGN_OR_RETURN(
        SequenceObjective::Result result,
        hooks_.sample_outputs(model_, references[i], DeriveSeed({seed, static_cast<uint64_t>(i)})));
    for (Batch& part : result.batches) batches.push_back(std::move(part));
    sums_.reward += result.reward;
    sums_.samples += result.samples;
  }
  model_->train();
  return batches;
}

absl::Status Trainer::Apply(int64_t update, const LossSums& loss) {
  SEQ2SEQ_RETURN_IF_ERROR(CheckGradients());
  // Clipping would make infinite values finite.
  const double uncut = options_.optimizer.clip_value > 0 ? GradientNorm(parameters_) : 0;
  ShapeGradients(options_.optimizer, parameters_);
  const double norm = std::isfinite(uncut) ? GradientNorm(parameters_) : uncut;
  const bool finite = std::isfinite(loss.nll) && std::isfinite(norm);
  state_.skipped_in_a_row = finite ? 0 : state_.skipped_in_a_row + 1;
  const auto cause = [&] {
    return absl::StrCat("update ", update, ": the loss is ", loss.nll, " and the gradient norm ",
                        norm);
  };
  if (!finite && IsLocal()) {
    ++skipped_here_;  // What it leads to is decided at the next exchange.
    failure_here_ = absl::StrCat("rank ", group_->rank(), ": ", cause());
    return absl::OkStatus();
  }
  if (state_.skipped_in_a_row > options_.max_skipped) return Recover(update, cause());
  if (!finite) {
    ++state_.skipped;
    return absl::OkStatus();
  }
  const double limit = options_.optimizer.clip_norm;
  optimizer_->Step(CurrentRate(update), limit > 0 && norm > limit ? limit / norm : 1.0);
  if (average_) average_->Update(update);
  sums_.nll += loss.nll;
  sums_.correct += loss.correct;
  sums_.tokens += loss.tokens;
  sums_.gradient_norm += norm;
  ++sums_.updates;
  return absl::OkStatus();
}

absl::Status Trainer::CheckGradients() const {
  for (const ParameterGroup& group : groups_) {
    if (group.pretrained) continue;  // It may have parameters that are not used.
    for (const auto& [name, parameter] : group.parameters) {
      if (!parameter.requires_grad() || parameter.grad().defined()) continue;
      return absl::InternalError(absl::StrCat(
          "the loss does not depend on the parameter ", name,
          ", which would never be trained; name it in train.freeze if that is intended"));
    }
  }
  return absl::OkStatus();
}

double Trainer::CurrentRate(int64_t update) const {
  return state_.rate_share *
         LearningRate(options_.schedule, TimeAt(update, state_.position), state_.ScheduledScores());
}

absl::Status Trainer::Recover(int64_t update, const std::string& cause) {
  if (IsFirst() && (state_.recoveries >= options_.recoveries || saved_update_ < 0)) {
    return absl::InternalError(absl::StrCat(cause,
                                            "; try a lower train.schedule.learning_rate than ",
                                            state_.rate_share * options_.schedule.learning_rate));
  }
  const TrainerState lost = state_;
  SEQ2SEQ_RETURN_IF_ERROR(Restore());
  state_.seconds = lost.seconds;
  state_.skipped_in_a_row = 0;
  state_.recoveries = lost.recoveries + 1;
  state_.rate_share = lost.rate_share * options_.recovery_rate;
  skipped_here_ = 0;
  late_seconds_ = 0;
  sums_ = ProgressSums();
  SEQ2SEQ_RETURN_IF_ERROR(StartLoader());
  if (!IsFirst()) return absl::OkStatus();
  Warn(absl::StrCat(cause, "; resuming from update ", state_.update, " with ", state_.rate_share,
                    " of the learning rate"));
  // Logged for the next update, so that a run which resumes from the checkpoint itself drops the
  // event and comes here again.
  return Log(nlohmann::ordered_json({{"event", "recovery"},
                                     {"update", state_.update + 1},
                                     {"failed", update},
                                     {"rate_share", state_.rate_share}})
                 .dump());
}

absl::Status Trainer::Log(const std::string& line) {
  if (!IsFirst()) return absl::OkStatus();
  const absl::Status status = log_.Append(line);
  return MayPass(status) ? absl::OkStatus() : status;  // The next line is written with it.
}

TrainingTime Trainer::TimeAt(int64_t update, const LoaderPosition& position) const {
  const double part =
      static_cast<double>(position.batch) / static_cast<double>(loader_->batches_per_epoch());
  return {update, static_cast<double>(position.epoch) + std::min(part, 1.0)};
}

TensorMap Trainer::OptimizerState() const {
  TensorMap state = optimizer_->State();
  if (!average_) return state;
  for (const auto& [name, parameter] : parameters_) state.emplace("trained." + name, parameter);
  return state;
}

absl::Status Trainer::Save() {
  if (IsFirst()) {
    // Before the checkpoint, so that no line up to it can be missing.
    SEQ2SEQ_RETURN_IF_ERROR(log_.Sync());
    SEQ2SEQ_RETURN_IF_ERROR(SaveCheckpoint(run_, state_,
                                           average_ ? average_->average() : parameters_,
                                           OptimizerState(), options_.keep_last, options_.metric));
  }
  saved_update_ = state_.update;
  failed_saves_ = 0;
  return absl::OkStatus();
}

absl::Status Trainer::TrySave() {
  const absl::Status status = Save();
  // A slow disk must not count as a process that hangs.
  if (status.ok() && group_ != nullptr) return group_->Meet();
  if (!MayPass(status) || ++failed_saves_ > options_.max_failed_saves) return status;
  Warn(absl::StrCat("the checkpoint of update ", state_.update,
                    " was not saved: ", status.message(), "; training continues"));
  return group_ != nullptr ? group_->Meet() : absl::OkStatus();
}

}  // namespace seq2seq
