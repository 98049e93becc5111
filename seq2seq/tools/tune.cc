// `seq2seq tune`: searches hyperparameters with trainings of many configurations.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include <CLI/CLI.hpp>

#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/tuner.h"
#include "seq2seq/tune/sweep_options.h"

namespace seq2seq {
namespace {

struct TuneFlags {
  std::string sweep;
  std::vector<std::string> settings;
  TunerOptions tuner;
};

absl::Status RunTune(const TuneFlags& flags) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const Sweep sweep, ReadSweep(flags.sweep, flags.settings));
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<Tuner> tuner,
                           Tuner::Create(flags.sweep, sweep, flags.tuner));
  SEQ2SEQ_RETURN_IF_ERROR(tuner->Run());
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string summary, tuner->Summary());
  std::cout << summary;
  return absl::OkStatus();
}

}  // namespace

void AddTune(CLI::App& program, absl::Status* status) {
  CLI::App* tune = program.add_subcommand(
      "tune", "Searches hyperparameters: trains many configurations, most of them briefly");
  auto flags = std::make_shared<TuneFlags>();
  tune->add_option("sweep", flags->sweep, "The YAML file of the sweep")
      ->option_text("SWEEP")
      ->required();
  tune->add_option("settings", flags->settings,
                   "Options of the sweep that override those of the file, as budget.trials=40")
      ->option_text("key=value ...");
  tune->add_flag("--allow-scripts", flags->tuner.allow_scripts, "That of seq2seq train");
  SweepOptions defaults;
  tune->footer(absl::StrCat(
      "Options of a sweep, their defaults and meaning:\n", DescribeOptions(ListOptions(defaults)),
      "  parameters = {}  (a map)\n"
      "      What is searched: keys of seq2seq train, and tokenizer.* as flags of seq2seq "
      "tokenizer train, each with {values: [...]}, or {min: ..., max: ...} and, if wanted, "
      "distribution (uniform, log_uniform, int, log_int), step, and when: {key: value}, which a "
      "parameter above must have."));
  tune->callback([flags, status] { *status = RunTune(*flags); });
}

}  // namespace seq2seq
