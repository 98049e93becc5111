#include "seq2seq/tune/scheduler.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "seq2seq/base/random.h"

namespace seq2seq {
namespace {

// How often a sampler is asked for a point that was not tried before.
constexpr uint64_t kAttempts = 100;

}  // namespace

std::vector<int64_t> Rungs(const EarlyTermination& options) {
  if (options.type == EarlyTerminationType::kNone) return {0};
  std::vector<int64_t> rungs;
  for (double updates = static_cast<double>(options.min); std::llround(updates) < options.max;
       updates *= options.eta) {
    rungs.push_back(std::llround(updates));
  }
  rungs.push_back(options.max);
  return rungs;
}

Scheduler::Scheduler(const Sweep& sweep, std::vector<int64_t> rungs)
    : sweep_(sweep),
      rungs_(std::move(rungs)),
      sampler_(MakeSampler(sweep.options.method, sweep.space)) {}

NextTrial Scheduler::Next(const std::vector<Trial>& trials) const {
  for (const Trial& trial : trials) {
    if (trial.IsOpen() && !trial.held) return {trial};
  }
  if (std::optional<Trial> promoted = Promote(trials)) return {std::move(promoted)};
  if (std::optional<Trial> begun = Begin(trials)) return {std::move(begun)};
  const bool wait =
      std::any_of(trials.begin(), trials.end(), [](const Trial& trial) { return trial.IsOpen(); });
  return {std::nullopt, wait};
}

std::optional<Trial> Scheduler::Promote(const std::vector<Trial>& trials) const {
  for (size_t rung = rungs_.size() - 1; rung-- > 0;) {
    std::vector<std::pair<double, const Trial*>> reached;
    size_t ended = 0;  // Here, those that failed on the way included.
    for (const Trial& trial : trials) {
      if (trial.results.size() > rung)
        reached.emplace_back(Score(trial.results[rung].value), &trial);
      if (trial.results.size() > rung || trial.failed()) ++ended;
    }
    std::stable_sort(reached.begin(), reached.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    const auto most =
        static_cast<size_t>(static_cast<double>(ended) / sweep_.options.early_terminate.eta);
    reached.resize(std::min(reached.size(), most));
    for (const auto& [score, trial] : reached) {
      const bool waits = trial->results.size() == rung + 1 && !trial->IsOpen();
      if (!waits || trial->failed() || trial->complete) continue;
      Trial promoted = *trial;
      promoted.rung = static_cast<int64_t>(rung) + 1;
      return promoted;
    }
  }
  return std::nullopt;
}

std::optional<Trial> Scheduler::Begin(const std::vector<Trial>& trials) const {
  const int64_t most = sweep_.options.budget.trials;
  const auto count = static_cast<int64_t>(trials.size());
  if (most > 0 && count >= most) return std::nullopt;
  std::vector<Observation> observations;
  for (const Trial& trial : trials) {
    if (trial.failed() || !trial.results.empty()) observations.push_back(Observe(trial));
  }
  for (uint64_t attempt = 0; attempt < kAttempts; ++attempt) {
    RandomStream random(DeriveSeed(
        {static_cast<uint64_t>(sweep_.options.seed), static_cast<uint64_t>(count), attempt}));
    std::optional<Point> point = sampler_->Suggest(count, observations, random);
    if (!point) return std::nullopt;
    const bool is_new = std::none_of(trials.begin(), trials.end(),
                                     [&](const Trial& trial) { return trial.point == *point; });
    if (!is_new) continue;
    Trial trial;
    trial.number = count + 1;
    trial.point = *std::move(point);
    return trial;
  }
  return std::nullopt;  // A small space, of which all points were tried.
}

const Trial* Scheduler::Best(const std::vector<Trial>& trials) const {
  const Trial* best = nullptr;
  for (const Trial& trial : trials) {
    if (trial.results.empty()) continue;
    if (best == nullptr || IsBetter(Observe(trial), Observe(*best))) best = &trial;
  }
  return best;
}

Observation Scheduler::Observe(const Trial& trial) const {
  Observation observation;
  observation.number = trial.number;
  observation.point = trial.point;
  observation.failed = trial.results.empty();
  observation.rung = static_cast<int64_t>(trial.results.size()) - 1;
  if (!trial.results.empty()) observation.score = Score(trial.results.back().value);
  return observation;
}

double Scheduler::Score(double value) const {
  return sweep_.options.metric.goal == Goal::kMaximize ? value : -value;
}

}  // namespace seq2seq
