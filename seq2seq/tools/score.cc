// `seq2seq score`: how likely a model finds given translations.
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include <CLI/CLI.hpp>

#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/model_flags.h"
#include "seq2seq/tools/option_flags.h"

namespace seq2seq {
namespace {

struct ScoreFlags {
  ModelFlags model;
  SearchOptions search;
  std::string source;
  std::string target;
};

// Pairs scored in one go: enough to sort by length, few enough to keep in memory.
constexpr size_t kBlock = 2000;

// Reads up to kBlock lines.
absl::StatusOr<std::vector<std::string>> ReadBlock(LineReader& reader) {
  std::vector<std::string> lines;
  std::string line;
  while (lines.size() < kBlock) {
    SEQ2SEQ_ASSIGN_OR_RETURN(bool more, reader.Next(line));
    if (!more) break;
    lines.push_back(line);
  }
  return lines;
}

absl::Status RunScore(ScoreFlags& flags) {
  if (flags.source == "-" && flags.target == "-") {
    return absl::InvalidArgumentError(
        "--source and --target: only one of them can be standard input");
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto source, LineReader::Open(flags.source));
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto target, LineReader::Open(flags.target));
  SEQ2SEQ_ASSIGN_OR_RETURN(const Translator translator, LoadTranslator(flags.model));
  while (true) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> sources, ReadBlock(*source));
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> targets, ReadBlock(*target));
    if (sources.size() != targets.size()) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "%s and %s have different numbers of lines: one ends after %d", flags.source,
          flags.target, std::min(source->line_number(), target->line_number())));
    }
    if (sources.empty()) return absl::OkStatus();
    SEQ2SEQ_ASSIGN_OR_RETURN(const auto scored, translator.Score(sources, targets, flags.search));
    for (const Candidate& candidate : scored) {
      std::cout << absl::StrFormat("%.6f\t%.6f\t%d\n", candidate.score, candidate.log_probability,
                                   candidate.token_scores.size());
    }
    if (!std::cout.flush()) return absl::DataLossError("standard output: cannot write");
  }
}

}  // namespace

void AddScore(CLI::App& program, absl::Status* status) {
  CLI::App* score =
      program.add_subcommand("score", "Scores given translations with a trained model");
  auto flags = std::make_shared<ScoreFlags>();
  AddModelFlags(*score, flags->model);
  AddOptionFlags(
      *score, ListOptions(flags->search),
      {"normalization", "length_alpha", "length_reward", "coverage_penalty", "repetition_penalty"});
  score->add_option("-s,--source", flags->source, "Text, a sentence a line")
      ->option_text("FILE")
      ->required();
  score->add_option("-t,--target", flags->target, "Their translations, a line each")
      ->option_text("FILE")
      ->required();
  score->footer(
      "Prints a line a pair: the score that decode ranks by, the log-probability in nats, and the "
      "number of "
      "tokens, end of sentence included, between tabs.");
  score->callback([flags, status] { *status = RunScore(*flags); });
}

}  // namespace seq2seq
