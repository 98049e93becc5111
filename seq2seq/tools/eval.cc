#include <cstdint>
#include <functional>
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
#include "absl/strings/str_replace.h"
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/task.h"
#include "seq2seq/metrics/bleu.h"
#include "seq2seq/metrics/caption.h"
#include "seq2seq/metrics/chrf.h"
#include "seq2seq/metrics/corpus_metric.h"
#include "seq2seq/metrics/error_rate.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/comparison.h"
#include "seq2seq/tools/option_flags.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

struct EvalFlags {
  std::vector<std::string> hypotheses = {"-"};
  std::vector<std::string> references;
  std::vector<std::string> metrics = {"bleu", "chrf"};
  MetricOptions metric;
  std::string tokenizer;
  std::string format = "text";
  int64_t samples = ComparisonOptions().samples;
  uint64_t seed = ComparisonOptions().seed;
  int64_t examples = ComparisonOptions().examples;
  std::string frequencies;
};

// One system's output and the references.
struct Texts {
  std::vector<std::string> hypotheses;
  std::vector<std::vector<std::string>> references;
};

// One metric's result in both formats.
struct Report {
  std::string text;
  nlohmann::ordered_json json;
};

std::string DisplayName(const std::string& path) { return path == "-" ? "standard input" : path; }

absl::Status HaveEqualLengths(const std::string& path, size_t lines, const std::string& other,
                              size_t other_lines) {
  if (lines == other_lines) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(DisplayName(path), " has ", lines, " lines, but ",
                                                 DisplayName(other), " has ", other_lines));
}

absl::StatusOr<std::vector<System>> ReadSystems(const EvalFlags& flags) {
  std::vector<System> systems;
  for (const std::string& path : flags.hypotheses) {
    System& system = systems.emplace_back();
    system.name = DisplayName(path);
    SEQ2SEQ_ASSIGN_OR_RETURN(system.lines, ReadLines(path));
    if (system.lines.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(system.name, ": has no lines, nothing to score"));
    }
  }
  return systems;
}

// The metrics check the counts too, but cannot name the files.
absl::StatusOr<std::vector<std::vector<std::string>>> ReadReferences(
    const EvalFlags& flags, const std::vector<System>& systems) {
  std::vector<std::vector<std::string>> references;
  for (const std::string& path : flags.references) {
    SEQ2SEQ_ASSIGN_OR_RETURN(std::vector<std::string> reference, ReadLines(path));
    for (size_t i = 0; i < systems.size(); ++i) {
      SEQ2SEQ_RETURN_IF_ERROR(
          HaveEqualLengths(flags.hypotheses[i], systems[i].lines.size(), path, reference.size()));
    }
    references.push_back(std::move(reference));
  }
  return references;
}

// The texts as subwords with spaces between them.
Texts Split(Texts texts, const std::function<std::string(const std::string&)>& subwords) {
  for (std::string& line : texts.hypotheses) line = subwords(line);
  for (std::vector<std::string>& lines : texts.references) {
    for (std::string& line : lines) line = subwords(line);
  }
  return texts;
}

absl::StatusOr<Report> ReportBleu(const Texts& texts, const EvalFlags& flags) {
  const BleuOptions options = {.tokenization = flags.metric.tokenize,
                               .language = flags.metric.language,
                               .lowercase = flags.metric.lowercase};
  const bool subwords = flags.metric.tokenize == Tokenization::kSubwords;
  const Texts split = subwords ? Split(texts, flags.metric.subwords) : Texts();
  const Texts& scored = subwords ? split : texts;
  SEQ2SEQ_ASSIGN_OR_RETURN(const BleuScore bleu,
                           CorpusBleu(scored.hypotheses, scored.references, options));

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
  const ChrfOptions options = {.word_order = word_order, .lowercase = flags.metric.lowercase};
  SEQ2SEQ_ASSIGN_OR_RETURN(const ChrfScore chrf,
                           CorpusChrf(texts.hypotheses, texts.references, options));
  Report report;
  report.text = absl::StrFormat("%s = %.2f %s", chrf.Name(), chrf.score, chrf.Signature());
  report.json = {{"score", chrf.score}, {"signature", chrf.Signature()}};
  return report;
}

absl::StatusOr<Report> ReportCaption(const Texts& texts, const EvalFlags& flags) {
  SEQ2SEQ_ASSIGN_OR_RETURN(
      const CaptionScores scores,
      ScoreCaptions(texts.hypotheses, texts.references, {.stemmer = flags.metric.stemmer}));
  Report report;
  for (size_t n = 1; n <= BleuScore::kMaxOrder; ++n) {
    absl::StrAppendFormat(&report.text, "BLEU-%d = %.2f, ", n, scores.bleu.Order(n));
    report.json[absl::StrCat("bleu_", n)] = scores.bleu.Order(n);
  }
  absl::StrAppendFormat(
      &report.text, "%s = %.2f, ROUGE-L = %.2f, CIDEr-D = %.4f (ratio %.3f, distinct %.1f) %s",
      scores.meteor.Name(), scores.meteor.score, scores.rouge_l, scores.cider.cider_d,
      scores.bleu.LengthRatio(), scores.distinct, scores.Signature());
  report.json["meteor_exact_stem"] = scores.meteor.score;
  report.json["rouge_l"] = scores.rouge_l;
  report.json["cider_d"] = scores.cider.cider_d;
  report.json["cider"] = scores.cider.cider;
  report.json["length_ratio"] = scores.bleu.LengthRatio();
  report.json["distinct"] = scores.distinct;
  report.json["signature"] = scores.Signature();
  return report;
}

// Names of the two error rates, which differ where a line is a word and a token a phoneme.
struct ErrorNames {
  const char* rate;
  const char* units;
  const char* line_rate;
  const char* lines;
};

absl::StatusOr<Report> ReportErrorRate(const Texts& texts, const EvalFlags& flags, ErrorUnit unit,
                                       const ErrorNames& names) {
  const ErrorRateOptions options = {.unit = unit, .lowercase = flags.metric.lowercase};
  SEQ2SEQ_ASSIGN_OR_RETURN(const ErrorRate rate,
                           CorpusErrorRate(texts.hypotheses, texts.references, options));
  Report report;
  report.text = absl::StrFormat("%s = %.2f, %s = %.2f (%d errors in %d %s, %d of %d %s wrong) %s",
                                names.rate, rate.Rate(), names.line_rate, rate.LineRate(),
                                rate.errors, rate.reference_length, names.units, rate.wrong_lines,
                                rate.lines, names.lines, rate.Signature());
  report.json = {{"score", rate.Rate()},
                 {"line_error_rate", rate.LineRate()},
                 {"errors", rate.errors},
                 {"reference_length", rate.reference_length},
                 {"wrong_lines", rate.wrong_lines},
                 {"lines", rate.lines},
                 {"signature", rate.Signature()}};
  return report;
}

absl::StatusOr<Report> ReportAccuracy(const Texts& texts, const EvalFlags& flags) {
  SEQ2SEQ_ASSIGN_OR_RETURN(
      const ErrorRate rate,
      CorpusErrorRate(texts.hypotheses, texts.references, {.lowercase = flags.metric.lowercase}));
  Report report;
  report.text = absl::StrFormat("accuracy = %.2f (%d of %d lines right) %s", rate.Accuracy(),
                                rate.lines - rate.wrong_lines, rate.lines, rate.Signature());
  report.json = {{"score", rate.Accuracy()},
                 {"right_lines", rate.lines - rate.wrong_lines},
                 {"lines", rate.lines},
                 {"signature", rate.Signature()}};
  return report;
}

template <MetricKind kKind>
absl::StatusOr<Report> ReportScore(const Texts& texts, const EvalFlags& flags) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto metric, MakeMetric(kKind, flags.metric));
  SEQ2SEQ_ASSIGN_OR_RETURN(const SegmentCounts counts,
                           metric->Count(texts.hypotheses, texts.references));
  const double score = metric->Score(counts.Sum());
  const std::string signature = metric->Signature(counts.num_references);
  Report report;
  report.text = absl::StrFormat("%s = %.*f %s", metric->Name(), kKind == MetricKind::kCider ? 4 : 2,
                                score, signature);
  report.json = {{"score", score}, {"signature", signature}};
  return report;
}

// A name of --metric.
struct NamedMetric {
  const char* help;
  absl::StatusOr<Report> (*report)(const Texts& texts, const EvalFlags& flags);
  std::vector<MetricKind> kinds;  // Which compare systems.
};

const std::map<std::string, NamedMetric>& MetricsByName() {
  static const auto* const kMetrics = new std::map<std::string, NamedMetric>{
      {"bleu", {"BLEU of translations, as sacreBLEU computes it", ReportBleu, {MetricKind::kBleu}}},
      {"chrf",
       {"chrF2: character n-grams, as sacreBLEU computes it",
        [](const auto& texts, const auto& flags) { return ReportChrf(texts, flags, 0); },
        {MetricKind::kChrf}}},
      {"chrf++",
       {"chrF2++: chrF2 with word n-grams",
        [](const auto& texts, const auto& flags) { return ReportChrf(texts, flags, 2); },
        {MetricKind::kChrfWords}}},
      {"caption",
       {"captions, both sides normalised: BLEU-1 to BLEU-4, METEOR by exact matches\n"
        "and stems, ROUGE-L, CIDEr-D (coco-caption's CIDEr; 0 to 10), length ratio,\n"
        "percentage of distinct captions; json: also plain CIDEr",
        ReportCaption,
        {MetricKind::kCaptionBleu, MetricKind::kMeteor, MetricKind::kRougeL, MetricKind::kCider}}},
      {"bleu_4",
       {"captions: BLEU-4 alone",
        ReportScore<MetricKind::kCaptionBleu>,
        {MetricKind::kCaptionBleu}}},
      {"meteor",
       {"captions: METEOR alone", ReportScore<MetricKind::kMeteor>, {MetricKind::kMeteor}}},
      {"rouge_l",
       {"captions: ROUGE-L alone", ReportScore<MetricKind::kRougeL>, {MetricKind::kRougeL}}},
      {"cider", {"captions: CIDEr-D alone", ReportScore<MetricKind::kCider>, {MetricKind::kCider}}},
      {"accuracy",
       {"labels: percentage of lines that equal the reference",
        ReportAccuracy,
        {MetricKind::kAccuracy}}},
      {"f1",
       {"labels: F1, the mean over the labels of the references",
        ReportScore<MetricKind::kF1>,
        {MetricKind::kF1}}},
      {"wer",
       {"word error rate: edits per 100 words of the reference",
        [](const auto& texts, const auto& flags) {
          return ReportErrorRate(texts, flags, ErrorUnit::kToken,
                                 {"WER", "words", "line error rate", "lines"});
        },
        {MetricKind::kWer}}},
      {"cer",
       {"character error rate: edits per 100 characters, spaces between words included",
        [](const auto& texts, const auto& flags) {
          return ReportErrorRate(texts, flags, ErrorUnit::kCharacter,
                                 {"CER", "characters", "line error rate", "lines"});
        },
        {MetricKind::kCer}}},
      {"per",
       {"pronunciations, a word per line, its phonemes separated by spaces:\n"
        "PER, edits per 100 phonemes, and WER, percentage of words that equal no\n"
        "reference; json: score and line_error_rate",
        [](const auto& texts, const auto& flags) {
          return ReportErrorRate(texts, flags, ErrorUnit::kToken,
                                 {"PER", "phonemes", "WER", "words"});
        },
        {MetricKind::kPer}}},
  };
  return *kMetrics;
}

std::string DescribeMetrics() {
  std::string text = "Metrics:\n";
  for (const auto& [name, metric] : MetricsByName()) {
    absl::StrAppendFormat(&text, "  %-9s%s\n", name,
                          absl::StrReplaceAll(metric.help, {{"\n", "\n           "}}));
  }
  return text + "With several references, error rates take the one with the fewest errors.";
}

// Prints a line, or an object, for each metric.
absl::Status ScoreOne(const Texts& texts, const EvalFlags& flags) {
  nlohmann::ordered_json all;
  Task task("scoring", "metrics", static_cast<int64_t>(flags.metrics.size()));
  for (const std::string& metric : flags.metrics) {
    task.SetNote(metric);
    SEQ2SEQ_ASSIGN_OR_RETURN(Report report, MetricsByName().at(metric).report(texts, flags));
    if (flags.format == "text") std::cout << report.text << "\n";
    all[metric] = std::move(report.json);
    task.Add(1);
  }
  if (flags.format == "json") std::cout << all.dump(2) << "\n";
  return absl::OkStatus();
}

absl::Status CompareSystems(const std::vector<System>& systems,
                            const std::vector<std::vector<std::string>>& references,
                            const EvalFlags& flags) {
  ComparisonOptions options = {.metrics = {},
                               .metric = flags.metric,
                               .samples = flags.samples,
                               .seed = flags.seed,
                               .examples = flags.examples};
  for (const std::string& name : flags.metrics) {
    const std::vector<MetricKind>& kinds = MetricsByName().at(name).kinds;
    options.metrics.insert(options.metrics.end(), kinds.begin(), kinds.end());
  }
  if (!flags.frequencies.empty()) {
    SEQ2SEQ_ASSIGN_OR_RETURN(options.frequency_text, ReadLines(flags.frequencies));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const Comparison comparison, Compare(systems, references, options));
  if (flags.format == "json") {
    std::cout << ComparisonJson(comparison).dump(2) << "\n";
  } else {
    std::cout << (flags.format == "html"       ? ComparisonPage(comparison)
                  : flags.format == "markdown" ? ComparisonMarkdown(comparison)
                                               : ComparisonText(comparison));
  }
  return absl::OkStatus();
}

// Sets how --tokenize subwords splits lines.
absl::Status LoadTokenizer(EvalFlags& flags) {
  const bool needed = flags.metric.tokenize == Tokenization::kSubwords;
  if (needed == flags.tokenizer.empty()) {
    return absl::InvalidArgumentError(
        "--tokenizer: expected a tokenizer model with --tokenize subwords, and only there");
  }
  if (!needed) return absl::OkStatus();
  SEQ2SEQ_ASSIGN_OR_RETURN(Tokenizer loaded, Tokenizer::Load(flags.tokenizer));
  const auto tokenizer = std::make_shared<const Tokenizer>(std::move(loaded));
  flags.metric.subwords = [tokenizer](const std::string& line) {
    return absl::StrJoin(tokenizer->Subwords(tokenizer->Encode(line)), " ");
  };
  return absl::OkStatus();
}

absl::Status RunEval(EvalFlags flags) {
  SEQ2SEQ_RETURN_IF_ERROR(LoadTokenizer(flags));
  SEQ2SEQ_ASSIGN_OR_RETURN(std::vector<System> systems, ReadSystems(flags));
  SEQ2SEQ_ASSIGN_OR_RETURN(auto references, ReadReferences(flags, systems));
  if (systems.size() == 1 && (flags.format == "text" || flags.format == "json")) {
    return ScoreOne({std::move(systems.front().lines), std::move(references)}, flags);
  }
  return CompareSystems(systems, references, flags);
}

}  // namespace

void AddEval(CLI::App& program, absl::Status* status) {
  CLI::App* eval = program.add_subcommand(
      "eval", "Scores translations, captions, pronunciations or labels against references");
  auto flags = std::make_shared<EvalFlags>();  // Owned by the callback.

  eval->add_option("-i,--hypotheses", flags->hypotheses,
                   "Outputs to score, one per line, detokenised; - is standard input. Repeat to "
                   "compare several systems with the first")
      ->option_text("FILE")
      ->allow_extra_args(false)
      ->capture_default_str();
  eval->add_option("-r,--references", flags->references,
                   "References, one per line; repeat for several. An empty line is not a reference "
                   "where another file has one")
      ->option_text("FILE")
      ->allow_extra_args(false)
      ->required();
  eval->add_option("--metric", flags->metrics, "A metric of the list below; repeat for several")
      ->check(CLI::IsMember(MetricsByName()))
      ->allow_extra_args(false)
      ->capture_default_str();
  AddOptionFlags(*eval, ListOptions(flags->metric));
  eval->add_option("--tokenizer", flags->tokenizer, "Tokenizer model, for --tokenize subwords")
      ->option_text("FILE");
  eval->add_option("--format", flags->format,
                   "text: a line for each metric; json: one object; markdown, html, and all "
                   "formats of several systems: tables with confidence intervals")
      ->check(CLI::IsMember({"text", "json", "markdown", "html"}))
      ->capture_default_str();
  eval->add_option("--samples", flags->samples,
                   "Tables: samples of the bootstrap; approximate randomisation takes ten times "
                   "as many")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  eval->add_option("--seed", flags->seed, "Tables: seed of the samples")->capture_default_str();
  eval->add_option("--examples", flags->examples,
                   "Tables: how many lines to show whose chrF2 differs most between systems")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  eval->add_option("--frequencies", flags->frequencies,
                   "Tables: text whose words are counted for the scores by frequency, such as that "
                   "of training; the references if missing")
      ->option_text("FILE");
  eval->footer(DescribeMetrics());
  eval->callback([flags, status] { *status = RunEval(*flags); });
}

}  // namespace seq2seq
