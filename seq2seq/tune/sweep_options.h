// Options of a hyperparameter sweep: its YAML file.
//
//   method: bayes
//   metric: {name: bleu, goal: maximize}
//   config: [base.yaml]
//   folder: work/sweep
//   parameters:
//     train.schedule.learning_rate: {min: 0.0003, max: 0.01, distribution: log_uniform}
//     train.schedule.kind: {values: [plateau, cosine]}
//     train.schedule.length: {values: [4000u, 8000u], when: {train.schedule.kind: cosine}}
//     tokenizer.vocab_size: {values: [4000, 8000]}
//   early_terminate: {type: asha, min: 500, eta: 3}
//   budget: {minutes: 60, trials: 40}
#ifndef SEQ2SEQ_TUNE_SWEEP_OPTIONS_H_
#define SEQ2SEQ_TUNE_SWEEP_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "seq2seq/tune/sampler.h"
#include "seq2seq/tune/search_space.h"

namespace seq2seq {

enum class Goal { kMaximize, kMinimize };

inline std::vector<std::string> EnumTexts(Goal) { return {"maximize", "minimize"}; }

struct SweepMetric {
  std::string name = "bleu";
  Goal goal = Goal::kMaximize;

  template <typename V>
  void Visit(V&& visit) {
    visit("name", name,
          "The metric of validations, as log.jsonl of a run names it: bleu, chrf, accuracy, loss, "
          "perplexity. Of each trial the best validation counts.");
    visit("goal", goal, "Whether higher or lower values are better.");
  }
};

enum class EarlyTerminationType { kNone, kAsha };

inline std::vector<std::string> EnumTexts(EarlyTerminationType) { return {"none", "asha"}; }

struct EarlyTermination {
  EarlyTerminationType type = EarlyTerminationType::kNone;
  int64_t min = 0;
  double eta = 3;
  int64_t max = 0;

  template <typename V>
  void Visit(V&& visit) {
    visit("type", type,
          "none trains every trial to its end; asha, successive halving, trains it to the first "
          "rung, and the best 1 / eta of a rung to the next one (Li et al. 2020), in the same run "
          "folder.");
    visit("min", min, "Updates of the first rung; should be a multiple of train.validate_every.");
    visit("eta", eta, "Factor between the updates of two rungs, more than 1.");
    visit("max", max, "Updates of the last rung; 0 is train.max_updates of the configuration.");
  }
};

struct SweepBudget {
  double minutes = 0;
  int64_t trials = 0;

  template <typename V>
  void Visit(V&& visit) {
    visit("minutes", minutes,
          "Ends the sweep after this time, in all runs of the program together; trials that are "
          "trained then are kept, and go on if the sweep is given more. 0 is no bound.");
    visit("trials", trials, "Begins no more trials than this; 0 is no bound.");
  }
};

struct SweepOptions {
  SearchMethod method = SearchMethod::kBayes;
  SweepMetric metric;
  std::vector<std::string> config;
  std::vector<std::string> settings;
  std::vector<std::string> tokenizer_text;
  std::string folder;
  EarlyTermination early_terminate;
  SweepBudget budget;
  int64_t parallel = 1;
  int64_t seed = 1;

  template <typename V>
  void Visit(V&& visit) {
    visit("method", method,
          "How points are chosen. grid: all, in order; random; bayes: tree-structured Parzen "
          "estimator (Bergstra et al. 2011); evolution: regularised (Real et al. 2019).");
    visit("metric", metric);
    visit("config", config,
          "Configuration files of seq2seq train, of which the last to set a key counts. Copies of "
          "them are kept in the folder, and used from then on.");
    visit("settings", settings,
          "Settings of every trial beside these, as key=value: [train.threads=1].");
    visit("tokenizer_text", tokenizer_text,
          "Text of both languages, from which the tokenizer of each trial is learnt with the "
          "parameters tokenizer.*, which are flags of seq2seq tokenizer train.");
    visit("folder", folder,
          "Folder of the sweep. One that has begun goes on; several processes, on several machines "
          "too, may share it.");
    visit("early_terminate", early_terminate);
    visit("budget", budget);
    visit("parallel", parallel,
          "Trials trained at once by this process, each with an equal share of its cores and "
          "memory.");
    visit("seed", seed, "Random seed of the points.");
  }
};

// A sweep as its file describes it.
struct Sweep {
  SweepOptions options;
  SearchSpace space{{}};
};

// Reads a sweep, and over its options settings "key=value", which name no parameters.
// InvalidArgument, naming file, line and key, for what is not valid.
absl::StatusOr<Sweep> ReadSweep(const std::string& path, const std::vector<std::string>& settings);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TUNE_SWEEP_OPTIONS_H_
