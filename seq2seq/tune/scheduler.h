// Scheduler of a sweep: which trial to train next, and how far.
#ifndef SEQ2SEQ_TUNE_SCHEDULER_H_
#define SEQ2SEQ_TUNE_SCHEDULER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "seq2seq/tune/sampler.h"
#include "seq2seq/tune/sweep_options.h"
#include "seq2seq/tune/trial.h"

namespace seq2seq {

// What to do next: train `trial` to its rung. None of them: wait for what is being trained, if
// `wait`, or the sweep is at its end.
struct NextTrial {
  std::optional<Trial> trial;
  bool wait = false;
};

// Asynchronous successive halving (ASHA, Li et al. 2020): a trial that is among the best 1 / eta of
// those that have reached its rung goes on to the next one; where there is none, a new trial
// begins. Without early termination there is one rung, the end of training.
//
// A pure function of the trials, so that a sweep which was interrupted and goes on takes the same
// course where trials are trained one by one.
class Scheduler {
 public:
  // `sweep` must outlive the scheduler; `rungs` are updates, ascending, or {0} for the end.
  Scheduler(const Sweep& sweep, std::vector<int64_t> rungs);

  // `trials` are in the order of their numbers, from 1.
  NextTrial Next(const std::vector<Trial>& trials) const;

  const std::vector<int64_t>& rungs() const { return rungs_; }

  // The best trial: of those that reached the highest rung of all, that with the best value. Null
  // if none has a result.
  const Trial* Best(const std::vector<Trial>& trials) const;

 private:
  // A trial that goes on to its next rung.
  std::optional<Trial> Promote(const std::vector<Trial>& trials) const;
  std::optional<Trial> Begin(const std::vector<Trial>& trials) const;
  // What `trial` gave at the last rung that it reached.
  Observation Observe(const Trial& trial) const;
  double Score(double value) const;

  const Sweep& sweep_;
  const std::vector<int64_t> rungs_;
  std::unique_ptr<const Sampler> sampler_;
};

// Updates of the rungs: min, min * eta, … below max, and max. {0} without early termination.
std::vector<int64_t> Rungs(const EarlyTermination& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TUNE_SCHEDULER_H_
