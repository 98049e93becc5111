// Tuner: trains the trials of a sweep in processes of their own.
#ifndef SEQ2SEQ_TOOLS_TUNER_H_
#define SEQ2SEQ_TOOLS_TUNER_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "seq2seq/tune/scheduler.h"
#include "seq2seq/tune/sweep_folder.h"
#include "seq2seq/tune/sweep_options.h"
#include "seq2seq/tune/trial.h"

namespace seq2seq {

struct TunerOptions {
  bool allow_scripts = false;  // That of `seq2seq train`.
};

// Each rung of a trial is a process `seq2seq train`, which resumes from the trial's run folder. A
// trial whose training fails, diverges or is killed is a result, and the sweep goes on; only where
// the first three of a sweep all fail does it end with an error.
class Tuner {
 public:
  // Begins the sweep of the file `path` in its folder, or goes on with it. Checks its
  // configurations; errors of seq2seq train, of SweepFolder::Open.
  static absl::StatusOr<std::unique_ptr<Tuner>> Create(const std::string& path, const Sweep& sweep,
                                                       const TunerOptions& options);

  // Trains until the sweep is at its end, its budget is used up, or a stop is requested, upon which
  // trainings save and end. Logs a line for each result.
  absl::Status Run();

  // The best trials as a table, and how to use the best one, whose configuration is written to
  // best.yaml.
  absl::StatusOr<std::string> Summary() const;

 private:
  // A trial that is being trained here.
  struct Job {
    HeldTrial held;
    std::string tokenizer;                   // To learn first, if it does not exist; may be empty.
    std::optional<FileLock> tokenizer_lock;  // While it is learnt here.
    pid_t child = 0;                         // 0 while it waits for another process.
  };

  Tuner(const Sweep& sweep, const TunerOptions& options, SweepFolder folder);

  // The settings of a trial, as key=value, without those of the rung.
  std::vector<std::string> Settings(const Trial& trial) const;
  std::vector<std::string> TrainArguments(const Trial& trial) const;
  // Where the tokenizer of a trial is, or will be; empty if none is searched.
  std::string TokenizerOf(const Trial& trial) const;
  std::vector<std::string> LearnArguments(const Job& job) const;

  // Starts what the job needs next, unless another process is in the way.
  absl::Status StartNext(Job& job) const;
  // Takes note of how the child of the job ended. Whether the job is at its end.
  absl::StatusOr<bool> Finish(Job& job, int status) const;
  // The trial with what its training has given, whose process ended with `status`.
  absl::StatusOr<Trial> ResultOf(Trial trial, int status) const;
  // Keeps and logs the result of a rung, or a failure.
  absl::Status Keep(const Trial& trial) const;
  // Whether the budget of minutes is used up.
  absl::StatusOr<bool> IsTimeUp();

  const Sweep sweep_;
  const TunerOptions options_;
  SweepFolder folder_;
  const Scheduler scheduler_;
  std::vector<std::string> share_;        // Settings that give each of several trials its share,
  std::vector<std::string> environment_;  // and the environment that does.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_TUNER_H_
