#include "seq2seq/tools/search_flags.h"

#include <vector>

#include <CLI/CLI.hpp>

#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/tools/command.h"

namespace seq2seq {

void AddSearchFlags(CLI::App& command, SearchFlags& flags) {
  command
      .add_option("-m,--model", flags.models,
                  "A run folder, or one of its steps; repeat for an ensemble")
      ->option_text("RUN")
      ->allow_extra_args(false)
      ->required();
  command
      .add_option("--normalization", flags.normalization, "How scores of different lengths compare")
      ->check(CLI::IsMember(EnumTexts(flags.beam.normalization)))
      ->capture_default_str();
  command
      .add_option("--gnmt-alpha", flags.beam.gnmt_alpha,
                  "Power of --normalization gnmt; larger is longer")
      ->capture_default_str();
  command.add_option("--batch-size", flags.batch_size, "Sentences searched together")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command
      .add_option("--max-line-length", flags.max_line_length,
                  "Longer lines are cut to so many pieces")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_option("--threads", flags.threads, "Threads to compute with; 0 is one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command.add_option("--device", flags.device, "auto, cpu, cuda, cuda:1, …")->capture_default_str();
}

absl::StatusOr<Translator> LoadTranslator(SearchFlags& flags) {
  flags.beam.normalization = *EnumFromText<LengthNormalization>(flags.normalization);
  SEQ2SEQ_ASSIGN_OR_RETURN(const torch::Device device, ParseDevice(flags.device));
  SetUpThreads(flags.threads);
  SEQ2SEQ_ASSIGN_OR_RETURN(Translator translator, Translator::LoadEnsemble(flags.models, device));
  translator.batch_size = flags.batch_size;
  translator.max_line_length = flags.max_line_length;
  return translator;
}

}  // namespace seq2seq
