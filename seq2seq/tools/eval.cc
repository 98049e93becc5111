#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/bleu.h"
#include "seq2seq/metrics/chrf.h"
#include "seq2seq/tools/command.h"

namespace seq2seq {
namespace {

struct EvalFlags {
  std::string hypotheses = "-";
  std::vector<std::string> references;
  std::vector<std::string> metrics = {"bleu", "chrf"};
  std::string tokenize = "13a";
  bool lowercase = false;
  std::string format = "text";
};

struct Texts {
  std::vector<std::string> hypotheses;
  std::vector<std::vector<std::string>> references;
};

// One metric's result in both formats.
struct Report {
  std::string text;
  nlohmann::ordered_json json;
};

std::map<std::string, Tokenization> TokenizationsByName() {
  std::map<std::string, Tokenization> by_name;
  for (const Tokenization tokenization :
       {Tokenization::k13a, Tokenization::kNone, Tokenization::kIntl, Tokenization::kChar}) {
    by_name.emplace(TokenizationName(tokenization), tokenization);
  }
  return by_name;
}

std::string DisplayName(const std::string& path) { return path == "-" ? "standard input" : path; }

// CorpusBleu and CorpusChrf check the counts too, but cannot name the files.
absl::StatusOr<Texts> ReadTexts(const EvalFlags& flags) {
  Texts texts;
  SEQ2SEQ_ASSIGN_OR_RETURN(texts.hypotheses, ReadLines(flags.hypotheses));
  for (const std::string& path : flags.references) {
    SEQ2SEQ_ASSIGN_OR_RETURN(std::vector<std::string> reference, ReadLines(path));
    if (reference.size() != texts.hypotheses.size()) {
      return absl::InvalidArgumentError(absl::StrCat(DisplayName(flags.hypotheses), " has ",
                                                     texts.hypotheses.size(), " lines, but ",
                                                     DisplayName(path), " has ", reference.size()));
    }
    texts.references.push_back(std::move(reference));
  }
  return texts;
}

absl::StatusOr<Report> ReportBleu(const Texts& texts, const EvalFlags& flags) {
  const BleuOptions options = {.tokenization = TokenizationsByName().at(flags.tokenize),
                               .lowercase = flags.lowercase};
  SEQ2SEQ_ASSIGN_OR_RETURN(const BleuScore bleu,
                           CorpusBleu(texts.hypotheses, texts.references, options));

  const auto one_digit = [](std::string* out, double value) {
    absl::StrAppendFormat(out, "%.1f", value);
  };
  Report report;
  report.text = absl::StrFormat("BLEU = %.2f %s (BP %.3f, ratio %.3f, length %d, references %d) %s",
                                bleu.score, absl::StrJoin(bleu.precisions, "/", one_digit),
                                bleu.brevity_penalty, bleu.LengthRatio(), bleu.hypothesis_length,
                                bleu.reference_length, bleu.Signature());
  report.json = {{"score", bleu.score},
                 {"precisions", bleu.precisions},
                 {"brevity_penalty", bleu.brevity_penalty},
                 {"length_ratio", bleu.LengthRatio()},
                 {"hypothesis_length", bleu.hypothesis_length},
                 {"reference_length", bleu.reference_length},
                 {"signature", bleu.Signature()}};
  return report;
}

absl::StatusOr<Report> ReportChrf(const Texts& texts, const EvalFlags& flags, int word_order) {
  const ChrfOptions options = {.word_order = word_order, .lowercase = flags.lowercase};
  SEQ2SEQ_ASSIGN_OR_RETURN(const ChrfScore chrf,
                           CorpusChrf(texts.hypotheses, texts.references, options));
  Report report;
  report.text = absl::StrFormat("%s = %.2f %s", chrf.Name(), chrf.score, chrf.Signature());
  report.json = {{"score", chrf.score}, {"signature", chrf.Signature()}};
  return report;
}

absl::StatusOr<Report> ReportMetric(const std::string& metric, const Texts& texts,
                                    const EvalFlags& flags) {
  if (metric == "bleu") return ReportBleu(texts, flags);
  return ReportChrf(texts, flags, metric == "chrf++" ? 2 : 0);
}

absl::Status RunEval(const EvalFlags& flags) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const Texts texts, ReadTexts(flags));
  nlohmann::ordered_json all;
  for (const std::string& metric : flags.metrics) {
    SEQ2SEQ_ASSIGN_OR_RETURN(Report report, ReportMetric(metric, texts, flags));
    if (flags.format == "text") std::cout << report.text << "\n";
    all[metric] = std::move(report.json);
  }
  if (flags.format == "json") std::cout << all.dump(2) << "\n";
  if (!std::cout.flush()) return absl::DataLossError("standard output: cannot write");
  return absl::OkStatus();
}

}  // namespace

void AddEval(CLI::App& program, absl::Status* status) {
  CLI::App* eval = program.add_subcommand("eval", "Scores translations against references");
  auto flags = std::make_shared<EvalFlags>();  // Owned by the callback.

  eval->add_option("-i,--hypotheses", flags->hypotheses,
                   "The translations, detokenised, one a line; - is standard input")
      ->option_text("FILE")
      ->capture_default_str();
  eval->add_option("-r,--references", flags->references,
                   "The references, one a line; repeat for several. An empty line is no "
                   "reference where another file has one")
      ->option_text("FILE")
      ->allow_extra_args(false)
      ->required();
  eval->add_option("--metric", flags->metrics, "bleu, chrf or chrf++; repeat for several")
      ->check(CLI::IsMember({"bleu", "chrf", "chrf++"}))
      ->allow_extra_args(false)
      ->capture_default_str();
  eval->add_option("--tokenize", flags->tokenize, "How BLEU cuts the text into tokens")
      ->check(CLI::IsMember(TokenizationsByName()))
      ->capture_default_str();
  eval->add_flag("--lowercase", flags->lowercase, "Score without regard to case");
  eval->add_option("--format", flags->format, "text: a line for each metric; json: one object")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  eval->callback([flags, status] { *status = RunEval(*flags); });
}

}  // namespace seq2seq
