// Folder of a sweep: its trials, shared by processes on one machine or several.
#ifndef SEQ2SEQ_TUNE_SWEEP_FOLDER_H_
#define SEQ2SEQ_TUNE_SWEEP_FOLDER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "seq2seq/tune/file_lock.h"
#include "seq2seq/tune/scheduler.h"
#include "seq2seq/tune/sweep_options.h"
#include "seq2seq/tune/trial.h"

namespace seq2seq {

// The paths of a sweep:
//
//   sweep.yaml        the sweep as it was started
//   config-N.yaml     copies of its configuration files
//   clock.json        how long it has taken
//   trial-N/          trial.json, the run folder run/, output.txt of the training
//   tokenizers/       those that trials have learnt
//   best.yaml         configuration of the best trial, at the end
struct SweepPaths {
  std::string folder;

  std::string Sweep() const { return folder + "/sweep.yaml"; }
  std::string Config(size_t number) const;
  std::string Clock() const { return folder + "/clock.json"; }
  std::string Trial(int64_t number) const;
  std::string TrialFile(int64_t number) const { return Trial(number) + "/trial.json"; }
  std::string Run(int64_t number) const { return Trial(number) + "/run"; }
  std::string Output(int64_t number) const { return Trial(number) + "/output.txt"; }
  std::string Tokenizers() const { return folder + "/tokenizers"; }
  std::string Best() const { return folder + "/best.yaml"; }
};

// All trials of a sweep, in the order of their numbers; `held` is set. DataLoss, naming the file,
// if one is damaged.
absl::StatusOr<std::vector<Trial>> ReadTrials(const SweepPaths& paths, const SearchSpace& space);

// A trial that this process trains: no other one takes it up until the object is gone.
struct HeldTrial {
  Trial trial;
  FileLock lock;
};

// The state of a sweep is in its files alone, each of which is replaced atomically, under a lock of
// the folder. However a process ends, others and later ones go on from what is there: a trial that
// it held is free again, and its training resumes from its last checkpoint.
class SweepFolder {
 public:
  // Begins the sweep of the file `path`, or goes on with the one in its folder.
  // FailedPrecondition, naming what differs, if the folder is that of another sweep, or something
  // else's: budget, parallel and the file of a configuration may change.
  static absl::StatusOr<SweepFolder> Open(const std::string& path, const Sweep& sweep);

  const SweepPaths& paths() const { return paths_; }

  // All trials, as ReadTrials.
  absl::StatusOr<std::vector<Trial>> Trials() const { return ReadTrials(paths_, space_); }

  // Takes up the next trial, if there is one now. `wait` is that of NextTrial.
  absl::StatusOr<std::optional<HeldTrial>> TakeNext(const Scheduler& scheduler, bool& wait);

  // Keeps what `trial` gave.
  absl::Status Keep(const Trial& trial) const;

  // Seconds that the sweep has taken in all processes, without the time when none ran. Counts the
  // time since the last call of this process.
  absl::StatusOr<double> Tick();

 private:
  SweepFolder(SweepPaths paths, SearchSpace space)
      : paths_(std::move(paths)), space_(std::move(space)) {}

  absl::StatusOr<FileLock> Lock() const;

  SweepPaths paths_;
  SearchSpace space_;
  double ticked_ = 0;  // The time of the last Tick, in seconds since 1970; 0 before the first.
};

// The sweep in a folder that has one; NotFound, naming the folder, if it has none.
absl::StatusOr<Sweep> ReadStoredSweep(const std::string& folder);

// Seconds that a sweep has taken so far; 0 if it has not begun.
absl::StatusOr<double> ReadClock(const SweepPaths& paths);

// A validation of a trial.
struct TrialValidation {
  int64_t update = 0;
  double value = 0;
};

// The validations in the log of a run folder that have `metric`; none if there is no log.
absl::StatusOr<std::vector<TrialValidation>> ReadTrialValidations(const std::string& run,
                                                                  const std::string& metric);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TUNE_SWEEP_FOLDER_H_
