// Comparison of the outputs of several systems for the same references.
#ifndef SEQ2SEQ_TOOLS_COMPARISON_H_
#define SEQ2SEQ_TOOLS_COMPARISON_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include <nlohmann/json.hpp>

#include "seq2seq/metrics/breakdown.h"
#include "seq2seq/metrics/corpus_metric.h"
#include "seq2seq/metrics/significance.h"
#include "seq2seq/tools/table.h"

namespace seq2seq {

struct System {
  std::string name;
  std::vector<std::string> lines;
};

struct ComparisonOptions {
  std::vector<MetricKind> metrics = {MetricKind::kBleu, MetricKind::kChrf};  // At least one.
  MetricOptions metric;
  int64_t samples = 1000;  // Of the bootstrap; approximate randomisation takes ten times as many.
  uint64_t seed = 12345;
  int64_t examples = 10;                         // Sentences that differ most.
  std::vector<std::string> frequency_text = {};  // Where words are counted; empty: the references.
};

// Of one system by one metric.
struct SystemScore {
  double score = 0;
  ConfidenceInterval interval;

  // Of the difference from the first system; none for that, and for equal outputs.
  std::optional<double> bootstrap_p;
  std::optional<double> randomization_p;
};

struct Comparison {
  struct MetricScores {
    std::string name;
    std::string signature;
    std::vector<SystemScore> systems;
  };
  // Scores of the first metric, or of words, in a part of the text.
  struct Part {
    int64_t first = 0;  // Words of the reference, or occurrences of the word.
    int64_t last = 0;
    int64_t count = 0;                // Segments, or words of the references.
    std::vector<double> scores = {};  // [system]
  };
  struct Example {
    size_t line = 0;  // From 1.
    std::string reference;
    std::vector<std::string> outputs;  // [system]
    std::vector<double> scores;        // chrF2 of each.
  };

  std::vector<std::string> names;  // Of the systems.
  std::vector<MetricScores> metrics;
  std::vector<Part> by_length;
  std::vector<Part> by_frequency;  // F1 of words.
  std::vector<Example> examples;
};

// Compares systems, at least one, against references[reference][line]; all have the same number of
// lines, at least one. With several references, lengths, words and examples are those of the first.
absl::StatusOr<Comparison> Compare(const std::vector<System>& systems,
                                   const std::vector<std::vector<std::string>>& references,
                                   const ComparisonOptions& options);

// As aligned text, Markdown, a page of HTML, and JSON.
std::string ComparisonText(const Comparison& comparison);
std::string ComparisonMarkdown(const Comparison& comparison);
std::string ComparisonPage(const Comparison& comparison);
nlohmann::ordered_json ComparisonJson(const Comparison& comparison);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_COMPARISON_H_
