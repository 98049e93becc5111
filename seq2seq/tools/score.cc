// `seq2seq score`: scores and log-probabilities of given translations under a model.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/model_flags.h"
#include "seq2seq/tools/search_flags.h"

namespace seq2seq {
namespace {

struct ScoreFlags {
  ModelFlags model;
  SearchFlags search;
  std::string source;
  std::string target;
};

// Pairs scored together: enough to sort by length, few enough to keep in memory.
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

// Sums over all lines.
struct Total {
  int64_t lines = 0;
  int64_t tokens = 0;
  double log_probability = 0;
};

absl::Status RunScore(const CLI::App& command, ScoreFlags& flags) {
  if (flags.source == "-" && flags.target == "-") {
    return absl::InvalidArgumentError(
        "--source and --target: only one of them can be standard input");
  }
  const auto max_line_bytes = static_cast<size_t>(flags.model.max_line_bytes);
  std::unique_ptr<LineReader> source;
  if (!flags.source.empty()) {
    SEQ2SEQ_ASSIGN_OR_RETURN(source, LineReader::Open(flags.source, max_line_bytes));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto target, LineReader::Open(flags.target, max_line_bytes));
  SEQ2SEQ_ASSIGN_OR_RETURN(const Translator translator, LoadTranslator(flags.model));
  const bool alone = translator.source_kind() == SourceKind::kNone;
  if (alone != (source == nullptr)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--source: ", flags.model.models[0],
                     alone ? " has no source" : " needs a source for each target; name its file"));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const SearchOptions search,
                           ChooseSearch(command, flags.search, flags.model.models[0]));
  if (search.coverage_penalty > 0 && !translator.has_attention()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--coverage-penalty: ", flags.model.models[0],
                     " has no attention: its model.source or model.decoder.attention is none"));
  }
  Total total;
  while (true) {
    std::vector<std::string> sources;
    if (source) {
      SEQ2SEQ_ASSIGN_OR_RETURN(sources, ReadBlock(*source));
    }
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> targets, ReadBlock(*target));
    if (source && sources.size() != targets.size()) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "%s and %s have different numbers of lines: one ends after %d", flags.source,
          flags.target, std::min(source->line_number(), target->line_number())));
    }
    if (targets.empty()) break;
    SEQ2SEQ_ASSIGN_OR_RETURN(const auto scored, translator.Score(sources, targets, search));
    for (const Candidate& candidate : scored) {
      ++total.lines;
      total.tokens += static_cast<int64_t>(candidate.token_scores.size());
      total.log_probability += candidate.log_probability;
      std::cout << absl::StrFormat("%.6f\t%.6f\t%d\n", candidate.score, candidate.log_probability,
                                   candidate.token_scores.size());
    }
    if (!std::cout.flush()) return absl::DataLossError("standard output: cannot write");
  }
  if (total.lines == 0)
    return absl::InvalidArgumentError(
        absl::StrCat(target->path(), ": has no lines, nothing to score"));
  // Weighted sums with a language model are not probabilities, so there is no perplexity.
  if (!flags.model.language_model.empty()) return absl::OkStatus();
  const double tokens = std::max(1.0, static_cast<double>(total.tokens));
  spdlog::info("{} lines, {} tokens, perplexity {:.2f}", total.lines, total.tokens,
               std::exp(-total.log_probability / tokens));
  return absl::OkStatus();
}

}  // namespace

void AddScore(CLI::App& program, absl::Status* status) {
  CLI::App* score =
      program.add_subcommand("score", "Scores given translations, or texts, with a trained model");
  auto flags = std::make_shared<ScoreFlags>();
  AddModelFlags(*score, flags->model);
  AddSearchFlags(*score, flags->search,
                 {"normalization", "length_alpha", "length_reward", "coverage_penalty",
                  "repetition_penalty", "language_model_weight"});
  score
      ->add_option("-s,--source", flags->source,
                   "Source, one per line: a sentence, or the path of an image; not for a language "
                   "model")
      ->option_text("FILE");
  score->add_option("-t,--target", flags->target, "Texts to score, one per line")
      ->option_text("FILE")
      ->required();
  score->footer(
      "Prints a line per pair, separated by tabs: the score that decode ranks by, the "
      "log-probability in nats, and the number of tokens, end of sentence included. The perplexity "
      "of all lines is logged. With --language-model, log-probabilities are weighted sums.");
  score->get_option("--language-model-weight")->needs("--language-model");
  score->callback([score, flags, status] { *status = RunScore(*score, *flags); });
}

}  // namespace seq2seq
