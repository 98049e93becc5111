#include "seq2seq/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/profile.h"
#include "seq2seq/base/random.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/model/describe_error.h"
#include "seq2seq/model/loss.h"
#include "seq2seq/train/module_report.h"

namespace seq2seq {
namespace {

class Stopwatch {
 public:
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The score of a validation: the metric, negated where lower is better.
absl::StatusOr<double> ScoreOf(Metric metric, const std::map<std::string, double>& metrics) {
  const std::string name = EnumText(metric);
  const auto found = metrics.find(name);
  if (found == metrics.end()) {
    return absl::InvalidArgumentError(absl::StrCat("train.metric: ", name, " was not evaluated"));
  }
  return metric == Metric::kLoss || metric == Metric::kPerplexity ? -found->second : found->second;
}

constexpr char kNetwork[] = "image_encoder.network";

// Whether `parameter` is `module` or inside it. Names of modules in TorchScript networks have
// slashes instead of dots.
bool IsIn(const std::string& parameter, const std::string& module) {
  return parameter == module || absl::StartsWith(parameter, module + ".") ||
         absl::StartsWith(parameter, module + "/");
}

bool IsFrozen(const std::string& parameter, const TrainOptions& options) {
  return std::any_of(options.freeze.begin(), options.freeze.end(),
                     [&](const std::string& module) { return IsIn(parameter, module); });
}

// The parameters of a pretrained image network that are fine-tuned.
TensorMap FineTuned(ModelImpl& model, const TrainOptions& options) {
  if (!model.options().image.network.fine_tune) return {};
  TensorMap tuned;
  for (const auto& [name, parameter] : Parameters(model)) {
    if (IsIn(name, kNetwork) && !IsFrozen(name, options)) tuned.emplace(name, parameter);
  }
  return tuned;
}

// Freezes the parameters of train.freeze. InvalidArgument if one of its names matches no parameter,
// or if nothing is left to train from the first update on.
absl::Status Freeze(const TrainOptions& options, const TensorMap& parameters) {
  for (const std::string& name : options.freeze) {
    if (std::none_of(parameters.begin(), parameters.end(),
                     [&](const auto& parameter) { return IsIn(parameter.first, name); })) {
      return absl::InvalidArgumentError(
          absl::StrCat("train.freeze: expected modules or parameters of the model, found '", name,
                       "'; seq2seq inspect lists them"));
    }
  }
  bool learns = false;
  for (const auto& [name, parameter] : parameters) {
    if (IsFrozen(name, options)) parameter.requires_grad_(false);
    learns |= parameter.requires_grad() && (options.fine_tune.from == 0 || !IsIn(name, kNetwork));
  }
  if (!learns) return absl::InvalidArgumentError("train.freeze: leaves nothing to train");
  return absl::OkStatus();
}

// {"encoder.forward_0": {"gradient": …, "weight": …, "saturated": …}, …}.
nlohmann::ordered_json ToJson(const std::map<std::string, ModuleReport>& reports) {
  nlohmann::ordered_json json;
  for (const auto& [module, report] : reports) {
    json[module] = {{"gradient", report.gradient}, {"weight", report.weight}};
    if (report.saturated) json[module]["saturated"] = *report.saturated;
  }
  return json;
}

// Puts the average, if there is one, in place of the weights during its lifetime.
class AverageInPlace {
 public:
  explicit AverageInPlace(std::optional<WeightAverage>& average) : average_(average) {
    if (average_) average_->Swap();
  }
  ~AverageInPlace() {
    if (average_) average_->Swap();
  }
  AverageInPlace(const AverageInPlace&) = delete;
  AverageInPlace& operator=(const AverageInPlace&) = delete;

 private:
  std::optional<WeightAverage>& average_;
};

std::map<std::string, double> SharesOf(const TensorMap& fine_tuned, double share) {
  std::map<std::string, double> shares;
  for (const auto& [name, parameter] : fine_tuned) shares.emplace(name, share);
  return shares;
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

std::string Text(StopReason reason) {
  switch (reason) {
    case StopReason::kMaxUpdates:
      return "train.max_updates reached";
    case StopReason::kMaxEpochs:
      return "train.max_epochs reached";
    case StopReason::kMaxMinutes:
      return "train.max_minutes reached";
    case StopReason::kPatience:
      return "no improvement in train.patience validations";
    case StopReason::kRequested:
      return "stopped on request";
  }
  return "";
}

Trainer::Trainer(const TrainOptions& options, const BucketOptions& buckets, Model model,
                 torch::Device device, const CorpusMix& train, const Corpus& valid,
                 TrainerHooks hooks)
    : options_(options),
      buckets_(buckets),
      run_{options.run},
      model_(std::move(model)),
      device_(device),
      train_(train),
      valid_(valid),
      hooks_(std::move(hooks)),
      parameters_(Parameters(*model_)),
      fine_tuned_(FineTuned(*model_, options)),
      optimizer_(MakeOptimizer(options.optimizer, parameters_,
                               SharesOf(fine_tuned_, options.fine_tune.rate))),
      log_(run_.Log()) {
  if (options.average > 0) average_.emplace(parameters_, options.average);
}

absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Create(const TrainOptions& options,
                                                         const BucketOptions& buckets, Model model,
                                                         torch::Device device,
                                                         const CorpusMix& train,
                                                         const Corpus& valid, TrainerHooks hooks) {
  SEQ2SEQ_RETURN_IF_ERROR(seq2seq::Validate(options));
  const bool needs_output =
      options.metric != Metric::kLoss && options.metric != Metric::kPerplexity;
  if (needs_output && !hooks.evaluate) {
    return absl::InvalidArgumentError(
        "train.metric: bleu, chrf and accuracy need TrainerHooks::evaluate");
  }
  if (!HasPrecision(Resolve(options.precision, device), device)) {
    return absl::InvalidArgumentError(
        "train.precision: bf16 is not supported by this processor or this build; use "
        "train.precision=fp32");
  }
  std::unique_ptr<Trainer> trainer;
  try {
    model->to(device);
    SEQ2SEQ_RETURN_IF_ERROR(Freeze(options, Parameters(*model)));
    trainer.reset(
        new Trainer(options, buckets, std::move(model), device, train, valid, std::move(hooks)));
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("cannot set up training: ", Describe(error)));
  }
  SEQ2SEQ_RETURN_IF_ERROR(trainer->Restore());
  SEQ2SEQ_RETURN_IF_ERROR(trainer->StartLoader());
  SEQ2SEQ_RETURN_IF_ERROR(trainer->PlanMemory());
  trainer->first_update_ = trainer->state_.update;
  trainer->first_seconds_ = trainer->state_.seconds;
  return trainer;
}

absl::Status Trainer::Restore() {
  SEQ2SEQ_RETURN_IF_ERROR(LinkLatest(run_));
  // A dangling link is a damaged run, not a new one.
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(run_.Latest(), ignored))) {
    SEQ2SEQ_ASSIGN_OR_RETURN(
        state_, LoadCheckpoint(run_, average_ ? average_->average() : parameters_, Memory()));
    const bool other_corpus = state_.corpus != train_.content();
    if (other_corpus || (state_.valid != 0 && state_.valid != valid_.content())) {
      return absl::FailedPreconditionError(
          absl::StrCat(run_.path, ": ", other_corpus ? "data.train or data.weights" : "data.valid",
                       " differs from what the run was started with; use another train.run"));
    }
    SEQ2SEQ_RETURN_IF_ERROR(LinkBest(run_, state_));
    saved_update_ = state_.update;
  }
  state_.corpus = train_.content();
  state_.valid = valid_.content();
  return log_.Truncate(state_.update);
}

absl::Status Trainer::StartLoader() {
  try {
    loader_ = std::make_unique<Loader>(train_, buckets_, static_cast<uint64_t>(options_.seed),
                                       state_.position, hooks_.examples, kPrefetch);
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("cannot read the training data: ", Describe(error)));
  }
  return absl::OkStatus();
}

absl::Status Trainer::PlanMemory() {
  if (options_.memory == 0) return absl::OkStatus();
  // Measured with the final teacher forcing, which feeds the most predicted tokens and so takes the
  // most memory, whichever update training resumes from: batches are always split alike.
  constexpr int64_t kLate = int64_t{1} << 40;
  const TeacherForcing forcing = ForcingAt(options_.teacher_forcing, kLate);
  const auto pass = [&](const Batch& batch) {
    model_->ComputeLoss(batch, forcing, options_.label_smoothing, /*scale=*/0).objective.backward();
    DropGradients();
  };
  try {
    const ComputeGuard guard({.precision = Resolve(options_.precision, device_)});
    torch::manual_seed(static_cast<uint64_t>(options_.seed));
    model_->train();
    SEQ2SEQ_ASSIGN_OR_RETURN(
        memory_, MemoryPlan::Make(options_.memory,
                                  {.buckets = buckets_,
                                   .longest = LongestRow(train_, hooks_.examples.images),
                                   .batches = kPrefetch + options_.accumulate,
                                   .tensors = Bytes(parameters_) + Bytes(optimizer_->State()) +
                                              (average_ ? Bytes(average_->average()) : 0),
                                   .pass = pass,
                                   .device = device_}));
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("cannot set up training: ", Describe(error)));
  }
  return absl::OkStatus();
}

absl::StatusOr<StopReason> Trainer::Run() {
  try {
    return Loop();
  } catch (const std::exception& error) {  // Of LibTorch, mostly out of memory.
    return absl::InternalError(
        absl::StrCat("training failed after update ", state_.update, ": ", Describe(error)));
  }
}

absl::StatusOr<StopReason> Trainer::Loop() {
  StopReason reason;
  bool stop = ReachedBound(reason);
  RemoveSteps(run_, state_, options_.keep_last);
  const auto every = [this](int64_t updates) {
    return updates > 0 && state_.update % updates == 0;
  };
  while (!stop) {
    const int64_t before = state_.update;
    SEQ2SEQ_RETURN_IF_ERROR(Update());
    if (state_.update <= before) continue;  // Recovered: reported and saved before.
    if (every(options_.report_every)) SEQ2SEQ_RETURN_IF_ERROR(Report());
    if (every(options_.validate_every)) SEQ2SEQ_RETURN_IF_ERROR(Validate());
    stop = ReachedBound(reason);
    // The last save comes below.
    const bool due = every(options_.save_every) || every(options_.validate_every);
    if (due && !stop) SEQ2SEQ_RETURN_IF_ERROR(TrySave());
  }
  if (saved_update_ != state_.update) {
    // A stop request does not wait for a validation.
    if (reason != StopReason::kRequested && !every(options_.validate_every))
      SEQ2SEQ_RETURN_IF_ERROR(Validate());
    SEQ2SEQ_RETURN_IF_ERROR(Save());
  }
  return reason;
}

bool Trainer::ReachedBound(StopReason& reason) const {
  const std::pair<StopReason, bool> bounds[] = {
      {StopReason::kRequested, hooks_.stop_requested && hooks_.stop_requested()},
      {StopReason::kMaxUpdates, options_.max_updates > 0 && state_.update >= options_.max_updates},
      {StopReason::kMaxEpochs,
       options_.max_epochs > 0 && state_.position.epoch >= options_.max_epochs},
      {StopReason::kMaxMinutes,
       options_.max_minutes > 0 && state_.seconds >= 60 * options_.max_minutes},
      {StopReason::kPatience, options_.patience > 0 && state_.SinceBest() >= options_.patience},
  };
  for (const auto& [bound, reached] : bounds) {
    if (!reached) continue;
    reason = bound;
    return true;
  }
  return false;
}

absl::Status Trainer::Update() {
  const Stopwatch stopwatch;
  const ComputeGuard guard({.precision = Resolve(options_.precision, device_)});
  ResetPhases();
  const int64_t update = state_.update + 1;
  model_->train();

  std::vector<Batch> batches;
  int64_t tokens = 0;
  {
    const PhaseTimer timer(Phase::kData);
    for (int64_t i = 0; i < options_.accumulate; ++i) {
      Loader::Item item = loader_->Next();
      state_.position = item.next;
      tokens += item.batch.target_tokens;
      batches.push_back(std::move(item.batch));
    }
  }
  window_.waiting += stopwatch.Seconds();

  for (const auto& [name, parameter] : fine_tuned_) {
    parameter.requires_grad_(update > options_.fine_tune.from);
  }
  if (options_.log_norms && update % options_.report_every == 0)
    reported_batch_ = memory_.Split(batches.back()).back();
  const auto [nll, correct] = ComputeGradient(update, batches, tokens);
  SEQ2SEQ_RETURN_IF_ERROR(CheckGradients());
  // Clipping would make infinite values finite.
  const double uncut = options_.optimizer.clip_value > 0 ? GradientNorm(parameters_) : 0;
  ShapeGradients(options_.optimizer, parameters_);
  const double norm = std::isfinite(uncut) ? GradientNorm(parameters_) : uncut;
  const bool finite = std::isfinite(nll) && std::isfinite(norm);
  state_.skipped_in_a_row = finite ? 0 : state_.skipped_in_a_row + 1;
  if (state_.skipped_in_a_row > options_.max_skipped) return Recover(update, nll, norm);
  if (finite) {
    const double limit = options_.optimizer.clip_norm;
    optimizer_->Step(CurrentRate(update), limit > 0 && norm > limit ? limit / norm : 1.0);
    if (average_) average_->Update(update);
    window_.nll += nll;
    window_.correct += correct;
    window_.tokens += tokens;
    window_.gradient_norm += norm;
    ++window_.updates;
  } else {
    ++state_.skipped;
  }

  phase_seconds_.resize(PhaseSeconds().size());
  for (size_t i = 0; i < phase_seconds_.size(); ++i) phase_seconds_[i] += PhaseSeconds()[i];
  state_.update = update;
  state_.seconds += stopwatch.Seconds();
  window_.seconds += stopwatch.Seconds();
  return absl::OkStatus();
}

Trainer::LossSums Trainer::ComputeGradient(int64_t update, const std::vector<Batch>& batches,
                                           int64_t tokens) {
  const TeacherForcing forcing = ForcingAt(options_.teacher_forcing, update);
  while (true) {
    torch::manual_seed(
        DeriveSeed({static_cast<uint64_t>(options_.seed), static_cast<uint64_t>(update)}));
    // Undefined gradients instead of zeros: the first one of each parameter needs no addition.
    DropGradients();
    BatchShape shape;  // Of the current part.
    try {
      // [2] for each part, fetched together: each fetch waits for the device.
      std::vector<torch::Tensor> sums;
      for (const Batch& batch : batches) {
        for (const Batch& part : memory_.Split(batch)) {
          shape = ShapeOf(part);
          const Loss loss = model_->ComputeLoss(part.To(device_), forcing, options_.label_smoothing,
                                                1.0 / static_cast<double>(tokens));
          loss.objective.backward();
          sums.push_back(
              torch::stack({loss.nll.to(torch::kFloat64), loss.correct.to(torch::kFloat64)}));
        }
      }
      const torch::Tensor sum = torch::stack(sums).sum(0).to(torch::kCPU);
      return {sum[0].item<double>(), sum[1].item<double>()};
    } catch (const std::exception& error) {
      if (!IsOutOfMemory(error) || shape.rows < 2) throw;
      memory_.Halve(shape);
      if (hooks_.on_warning) {
        hooks_.on_warning(absl::StrCat(
            "update ", update, ": out of memory for ", shape.rows, " x ", shape.source, " x ",
            shape.target,
            " tokens (rows x source x target) at once; continuing with parts half as large"));
      }
    }
  }
}

void Trainer::DropGradients() {
  for (const auto& [name, parameter] : parameters_) parameter.mutable_grad() = torch::Tensor();
}

absl::Status Trainer::CheckGradients() const {
  for (const auto& [name, parameter] : parameters_) {
    // A pretrained network may have parameters that are not used.
    if (!parameter.requires_grad() || parameter.grad().defined() || IsIn(name, kNetwork)) continue;
    return absl::InternalError(absl::StrCat(
        "the loss does not depend on the parameter ", name,
        ", which would never be trained; name it in train.freeze if that is intended"));
  }
  return absl::OkStatus();
}

double Trainer::CurrentRate(int64_t update) const {
  return state_.rate_share *
         LearningRate(options_.schedule, TimeAt(update, state_.position), state_.ScheduledScores());
}

absl::Status Trainer::Recover(int64_t update, double loss, double gradient_norm) {
  const std::string cause = absl::StrCat("update ", update, ": the loss is ", loss,
                                         " and the gradient norm ", gradient_norm);
  if (state_.recoveries >= options_.recoveries || saved_update_ < 0) {
    return absl::InternalError(absl::StrCat(cause, "; try a lower train.schedule.rate than ",
                                            state_.rate_share * options_.schedule.rate));
  }
  const TrainerState lost = state_;
  SEQ2SEQ_RETURN_IF_ERROR(Restore());
  state_.seconds = lost.seconds;
  state_.skipped_in_a_row = 0;
  state_.recoveries = lost.recoveries + 1;
  state_.rate_share = lost.rate_share * options_.recovery_rate;
  window_ = Window();
  SEQ2SEQ_RETURN_IF_ERROR(StartLoader());
  if (hooks_.on_warning) {
    hooks_.on_warning(absl::StrCat(cause, "; resuming from update ", state_.update, " with ",
                                   state_.rate_share, " of the learning rate"));
  }
  // Logged for the next update, so that a run which resumes from the checkpoint itself drops the
  // event and comes here again.
  return Log(nlohmann::ordered_json({{"event", "recovery"},
                                     {"update", state_.update + 1},
                                     {"failed", update},
                                     {"rate_share", state_.rate_share}})
                 .dump());
}

absl::Status Trainer::Log(const std::string& line) {
  const absl::Status status = log_.Append(line);
  return MayPass(status) ? absl::OkStatus() : status;  // The next line is written with it.
}

absl::Status Trainer::Report() {
  // If all updates were skipped there is no mean: NaN here, null in the log.
  const auto tokens = static_cast<double>(window_.tokens);
  const TrainingTime now = TimeAt(state_.update, state_.position);
  Progress progress;
  progress.update = state_.update;
  progress.epoch = now.epoch;
  progress.loss = window_.nll / tokens;
  progress.perplexity = std::exp(progress.loss);
  progress.token_accuracy = window_.correct / tokens;
  progress.learning_rate = CurrentRate(state_.update);
  progress.teacher_forcing = ForcingAt(options_.teacher_forcing, state_.update).rate;
  progress.tokens_per_second = tokens / window_.seconds;
  progress.waiting = window_.waiting / window_.seconds;
  progress.gradient_norm = window_.gradient_norm / static_cast<double>(window_.updates);
  progress.skipped = state_.skipped;
  progress.seconds = state_.seconds;
  progress.remaining = RemainingSeconds();
  window_ = Window();
  nlohmann::ordered_json line = {
      {"event", "progress"},
      {"update", progress.update},
      {"epoch", progress.epoch},
      {"loss", progress.loss},
      {"perplexity", progress.perplexity},
      {"token_accuracy", progress.token_accuracy},
      {"gradient_norm", progress.gradient_norm},
      {"learning_rate", progress.learning_rate},
      {"teacher_forcing", progress.teacher_forcing},
      {"tokens_per_second", progress.tokens_per_second},
      {"waiting", progress.waiting},
      {"seconds", progress.seconds},
      {"skipped", progress.skipped},
  };
  if (options_.log_norms)
    line["norms"] = ToJson(ReportModules(model_, reported_batch_.To(device_)));
  reported_batch_ = Batch();
  SEQ2SEQ_RETURN_IF_ERROR(Log(line.dump()));
  if (hooks_.on_progress) hooks_.on_progress(progress);
  return absl::OkStatus();
}

double Trainer::RemainingSeconds() const {
  const double spent = state_.seconds - first_seconds_;
  const auto updates = static_cast<double>(std::max<int64_t>(state_.update - first_update_, 1));
  std::vector<double> remaining;
  if (options_.max_updates > 0) {
    remaining.push_back(static_cast<double>(options_.max_updates - state_.update) * spent /
                        updates);
  }
  if (options_.max_epochs > 0) {
    const int64_t batches = options_.max_epochs * loader_->batches_per_epoch() -
                            state_.position.epoch * loader_->batches_per_epoch() -
                            state_.position.batch;
    remaining.push_back(static_cast<double>(batches / options_.accumulate) * spent / updates);
  }
  if (options_.max_minutes > 0) remaining.push_back(60 * options_.max_minutes - state_.seconds);
  if (remaining.empty()) return 0;
  return std::max(0.0, *std::min_element(remaining.begin(), remaining.end()));
}

absl::Status Trainer::Validate() {
  Validation validation;
  validation.update = state_.update;
  validation.scheduled = state_.update % options_.validate_every == 0;
  SEQ2SEQ_ASSIGN_OR_RETURN(validation.metrics, Metrics());
  SEQ2SEQ_ASSIGN_OR_RETURN(validation.score, ScoreOf(options_.metric, validation.metrics));
  state_.validations.push_back(validation);

  nlohmann::ordered_json line = {
      {"event", "validation"}, {"update", state_.update}, {"seconds", state_.seconds}};
  line.update(nlohmann::ordered_json(validation.metrics));
  SEQ2SEQ_RETURN_IF_ERROR(Log(line.dump()));
  if (hooks_.on_validation) hooks_.on_validation(validation);
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, double>> Trainer::Metrics() {
  model_->eval();
  DropGradients();  // They would take memory that validation needs.
  const AverageInPlace in_place(average_);
  std::map<std::string, double> metrics = HeldOutLoss();
  if (hooks_.evaluate) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const auto evaluated, hooks_.evaluate(model_));
    metrics.insert(evaluated.begin(), evaluated.end());
  }
  for (const auto& [name, value] : metrics) {
    if (!std::isfinite(value)) {
      return absl::InternalError(
          absl::StrCat("validation after update ", state_.update, ": ", name, " is ", value));
    }
  }
  return metrics;
}

std::map<std::string, double> Trainer::HeldOutLoss() {
  const torch::NoGradGuard no_grad;
  std::vector<PairLength> lengths;
  for (int64_t i = 0; i < valid_.size(); ++i) {
    lengths.push_back({static_cast<int32_t>(valid_.source_length(i)),
                       static_cast<int32_t>(valid_.target_length(i))});
  }
  double nll = 0;
  int64_t tokens = 0;
  for (const std::vector<int64_t>& indices :
       PlanBatches(lengths, buckets_, /*seed=*/0, /*epoch=*/0)) {
    std::vector<Example> examples;
    for (const int64_t index : indices) examples.push_back(valid_[index]);
    const Batch batch = Collate(examples, hooks_.examples.images, std::nullopt);
    for (const Batch& part : memory_.Split(batch)) {
      nll += model_->ComputeLoss(part.To(device_), TeacherForcing(), /*smoothing=*/0, /*scale=*/1)
                 .nll.item<double>();
    }
    tokens += batch.target_tokens;
  }
  const double loss = nll / static_cast<double>(tokens);
  return {{"loss", loss}, {"perplexity", std::exp(loss)}};
}

TrainingTime Trainer::TimeAt(int64_t update, const LoaderPosition& position) const {
  const double part =
      static_cast<double>(position.batch) / static_cast<double>(loader_->batches_per_epoch());
  return {update, static_cast<double>(position.epoch) + std::min(part, 1.0)};
}

TensorMap Trainer::Memory() const {
  TensorMap memory = optimizer_->State();
  if (!average_) return memory;
  for (const auto& [name, parameter] : parameters_) memory.emplace("trained." + name, parameter);
  return memory;
}

absl::Status Trainer::Save() {
  // Before the checkpoint, so that no line up to it can be missing.
  SEQ2SEQ_RETURN_IF_ERROR(log_.Sync());
  SEQ2SEQ_RETURN_IF_ERROR(SaveCheckpoint(run_, state_, average_ ? average_->average() : parameters_,
                                         Memory(), options_.keep_last));
  saved_update_ = state_.update;
  failed_saves_ = 0;
  return absl::OkStatus();
}

absl::Status Trainer::TrySave() {
  const absl::Status status = Save();
  if (!MayPass(status) || ++failed_saves_ > options_.max_failed_saves) return status;
  if (hooks_.on_warning)
    hooks_.on_warning(absl::StrCat("the checkpoint of update ", state_.update,
                                   " was not saved: ", status.message(), "; training continues"));
  return absl::OkStatus();
}

}  // namespace seq2seq
