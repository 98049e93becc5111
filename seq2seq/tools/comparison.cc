#include "seq2seq/tools/comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/utf8.h"
#include "seq2seq/metrics/chrf.h"
#include "seq2seq/tools/page.h"

namespace seq2seq {
namespace {

constexpr int64_t kRandomizationFactor = 10;

using Lines = std::vector<std::string>;

absl::StatusOr<Comparison::MetricScores> ScoreSystems(const CorpusMetric& metric,
                                                      const std::vector<System>& systems,
                                                      const std::vector<Lines>& references,
                                                      const ComparisonOptions& options) {
  Comparison::MetricScores scores;
  scores.name = metric.Name();
  const Resampling bootstrap = {.samples = options.samples, .seed = options.seed};
  const Resampling randomization = {.samples = kRandomizationFactor * options.samples,
                                    .seed = options.seed};
  std::optional<SegmentCounts> baseline;
  for (const System& system : systems) {
    SEQ2SEQ_ASSIGN_OR_RETURN(SegmentCounts counts, metric.Count(system.lines, references));
    SystemScore& score = scores.systems.emplace_back();
    score.score = metric.Score(counts.Sum());
    score.interval = BootstrapInterval(metric, counts, bootstrap);
    if (baseline && system.lines != systems.front().lines) {
      score.bootstrap_p = PairedBootstrap(metric, *baseline, counts, bootstrap);
      score.randomization_p = ApproximateRandomization(metric, *baseline, counts, randomization);
    }
    if (!baseline) {
      scores.signature = metric.Signature(counts.num_references);
      baseline = std::move(counts);
    }
  }
  return scores;
}

absl::StatusOr<std::vector<Comparison::Part>> ScoreByLength(const CorpusMetric& metric,
                                                            const std::vector<System>& systems,
                                                            const std::vector<Lines>& references) {
  std::vector<SegmentCounts> counts;
  for (const System& system : systems) {
    SEQ2SEQ_ASSIGN_OR_RETURN(SegmentCounts of_system, metric.Count(system.lines, references));
    counts.push_back(std::move(of_system));
  }
  std::vector<Comparison::Part> parts;
  for (const LengthGroup& group : GroupByLength(references.front())) {
    Comparison::Part part = {.first = group.shortest,
                             .last = group.longest,
                             .count = static_cast<int64_t>(group.segments.size())};
    for (const SegmentCounts& of_system : counts) {
      part.scores.push_back(ScoreSegments(metric, of_system, group.segments));
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<Comparison::Part> ScoreByFrequency(const std::vector<System>& systems,
                                               const Lines& reference,
                                               const ComparisonOptions& options) {
  const std::vector<Lines> reference_words = SplitWords(reference, options.metric);
  WordFrequencies frequencies;
  if (options.frequency_text.empty()) {
    CountWords(reference_words, frequencies);
  } else {
    CountWords(SplitWords(options.frequency_text, options.metric), frequencies);
  }
  std::vector<Comparison::Part> parts;
  for (const System& system : systems) {
    const std::vector<FrequencyGroup> groups = ScoreWordsByFrequency(
        SplitWords(system.lines, options.metric), reference_words, frequencies);
    parts.resize(groups.size());
    for (size_t i = 0; i < groups.size(); ++i) {
      parts[i].first = groups[i].least;
      parts[i].last = groups[i].most;
      parts[i].count = groups[i].reference_words;
      parts[i].scores.push_back(groups[i].F1());
    }
  }
  return parts;
}

// The lines whose chrF2 differs most between two systems.
absl::StatusOr<std::vector<Comparison::Example>> MostDifferent(const std::vector<System>& systems,
                                                               const std::vector<Lines>& references,
                                                               const ComparisonOptions& options) {
  const std::unique_ptr<const CorpusMetric> chrf =
      MakeChrf({.lowercase = options.metric.lowercase});
  std::vector<Comparison::Example> lines(references.front().size());
  for (const System& system : systems) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const SegmentCounts counts, chrf->Count(system.lines, references));
    for (size_t i = 0; i < lines.size(); ++i) {
      lines[i].line = i + 1;
      lines[i].reference = references.front()[i];
      lines[i].outputs.push_back(system.lines[i]);
      lines[i].scores.push_back(chrf->Score(counts[i]));
    }
  }
  const auto range = [](const Comparison::Example& line) {
    const auto [least, most] = std::minmax_element(line.scores.begin(), line.scores.end());
    return *most - *least;
  };
  std::stable_sort(lines.begin(), lines.end(),
                   [&](const auto& a, const auto& b) { return range(a) > range(b); });
  const auto same = [&](const Comparison::Example& line) { return range(line) == 0; };
  lines.erase(std::find_if(lines.begin(), lines.end(), same), lines.end());
  if (static_cast<int64_t>(lines.size()) > options.examples) {
    lines.resize(static_cast<size_t>(options.examples));
  }
  return lines;
}

std::string Number(double value) { return absl::StrFormat("%.2f", value); }

std::string Probability(const std::optional<double>& p) {
  return p ? absl::StrFormat("%.4f", *p) : "-";
}

std::string Range(const Comparison::Part& part) {
  if (part.last == std::numeric_limits<int64_t>::max()) return absl::StrCat(part.first, "+");
  if (part.first == part.last) return absl::StrCat(part.first);
  return absl::StrCat(part.first, "-", part.last);
}

Table PartsTable(const std::string& title, const std::string& range, const std::string& count,
                 const Comparison& comparison, const std::vector<Comparison::Part>& parts) {
  Table table = {.title = title, .header = {range, count}};
  table.header.insert(table.header.end(), comparison.names.begin(), comparison.names.end());
  for (const Comparison::Part& part : parts) {
    std::vector<std::string>& row = table.rows.emplace_back();
    row = {Range(part), absl::StrCat(part.count)};
    for (const double score : part.scores) row.push_back(Number(score));
  }
  return table;
}

std::vector<Table> Tables(const Comparison& comparison) {
  std::vector<Table> tables;
  for (const Comparison::MetricScores& metric : comparison.metrics) {
    Table& table = tables.emplace_back();
    table.title = absl::StrCat(metric.name, "  ", metric.signature);
    table.header = {"system", "score", "mean", "95%", "bootstrap p", "randomisation p"};
    for (size_t i = 0; i < metric.systems.size(); ++i) {
      const SystemScore& system = metric.systems[i];
      table.rows.push_back({comparison.names[i], Number(system.score), Number(system.interval.mean),
                            absl::StrCat("± ", Number(system.interval.half_width)),
                            Probability(system.bootstrap_p), Probability(system.randomization_p)});
    }
  }
  const std::string& first = comparison.metrics.front().name;
  tables.push_back(PartsTable(absl::StrCat(first, " by words of the reference"), "words",
                              "sentences", comparison, comparison.by_length));
  tables.push_back(PartsTable("F1 of words by frequency", "frequency", "words", comparison,
                              comparison.by_frequency));
  return tables;
}

// Tables of the lines that differ most.
std::vector<Table> ExampleTables(const Comparison& comparison) {
  std::vector<Table> tables;
  for (const Comparison::Example& example : comparison.examples) {
    Table& table = tables.emplace_back();
    table.header = {absl::StrCat("line ", example.line), "chrF2", example.reference};
    for (size_t i = 0; i < example.outputs.size(); ++i) {
      table.rows.push_back({comparison.names[i], Number(example.scores[i]), example.outputs[i]});
    }
  }
  return tables;
}

template <typename Format>
std::string FormatAll(const Comparison& comparison, Format format) {
  std::string text;
  for (const std::vector<Table>& tables : {Tables(comparison), ExampleTables(comparison)}) {
    for (const Table& table : tables) {
      absl::StrAppend(&text, text.empty() ? "" : "\n", format(table));
    }
  }
  return text;
}

nlohmann::ordered_json PartsJson(const Comparison& comparison,
                                 const std::vector<Comparison::Part>& parts, const char* count) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Comparison::Part& part : parts) {
    nlohmann::ordered_json& entry = json.emplace_back();
    entry["first"] = part.first;
    if (part.last != std::numeric_limits<int64_t>::max()) entry["last"] = part.last;
    entry[count] = part.count;
    entry["scores"] = part.scores;
  }
  return json;
}

}  // namespace

absl::StatusOr<Comparison> Compare(const std::vector<System>& systems,
                                   const std::vector<std::vector<std::string>>& references,
                                   const ComparisonOptions& options) {
  Comparison comparison;
  for (const System& system : systems) comparison.names.push_back(system.name);
  for (const MetricKind kind : options.metrics) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const auto metric, MakeMetric(kind, options.metric));
    SEQ2SEQ_ASSIGN_OR_RETURN(auto scores, ScoreSystems(*metric, systems, references, options));
    comparison.metrics.push_back(std::move(scores));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto first, MakeMetric(options.metrics.front(), options.metric));
  SEQ2SEQ_ASSIGN_OR_RETURN(comparison.by_length, ScoreByLength(*first, systems, references));
  comparison.by_frequency = ScoreByFrequency(systems, references.front(), options);
  SEQ2SEQ_ASSIGN_OR_RETURN(comparison.examples, MostDifferent(systems, references, options));
  return comparison;
}

std::string ComparisonText(const Comparison& comparison) {
  return FormatAll(comparison, TextTable);
}

std::string ComparisonMarkdown(const Comparison& comparison) {
  return FormatAll(comparison, MarkdownTable);
}

std::string ComparisonPage(const Comparison& comparison) {
  constexpr char kStyle[] = R"(
table { margin: 0 0 1.5rem; }
caption { text-align: left; color: var(--faint); padding: 0 0 .25rem; }
th, td { padding: .15rem .75rem .15rem 0; text-align: left; border-bottom: 1px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
)";
  return absl::StrCat(PageStart("Comparison", kStyle), "<section>\n",
                      FormatAll(comparison, HtmlTable), "</section>\n", PageEnd());
}

nlohmann::ordered_json ComparisonJson(const Comparison& comparison) {
  nlohmann::ordered_json json;
  for (const std::string& name : comparison.names) json["systems"].push_back(RepairUtf8(name));
  for (const Comparison::MetricScores& metric : comparison.metrics) {
    nlohmann::ordered_json& entry = json["metrics"].emplace_back();
    entry["name"] = metric.name;
    entry["signature"] = metric.signature;
    for (const SystemScore& system : metric.systems) {
      nlohmann::ordered_json& scores = entry["systems"].emplace_back();
      scores = {{"score", system.score},
                {"mean", system.interval.mean},
                {"confidence", system.interval.half_width}};
      if (system.bootstrap_p) scores["bootstrap_p"] = *system.bootstrap_p;
      if (system.randomization_p) scores["randomization_p"] = *system.randomization_p;
    }
  }
  json["by_length"] = PartsJson(comparison, comparison.by_length, "sentences");
  json["by_frequency"] = PartsJson(comparison, comparison.by_frequency, "words");
  json["examples"] = nlohmann::ordered_json::array();
  for (const Comparison::Example& example : comparison.examples) {
    nlohmann::ordered_json& entry = json["examples"].emplace_back();
    entry = {{"line", example.line}, {"reference", RepairUtf8(example.reference)}};
    for (const std::string& output : example.outputs)
      entry["outputs"].push_back(RepairUtf8(output));
    entry["chrf"] = example.scores;
  }
  return json;
}

}  // namespace seq2seq
