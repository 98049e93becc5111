#include "seq2seq/train/validation_metrics.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "seq2seq/base/closest.h"
#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

bool IsLoss(const std::string& metric) { return metric == "loss" || metric == "perplexity"; }

// All metrics of a set.
std::vector<std::string> MetricTexts() {
  std::vector<std::string> texts = EnumTexts(MetricKind());
  texts.insert(texts.begin(), {"loss", "perplexity"});
  texts.emplace_back(kCommandMetric);
  return texts;
}

}  // namespace

ValidationMetricName ValidationMetricName::Parse(absl::string_view name) {
  const size_t point = name.rfind('.');
  if (point == absl::string_view::npos) return {"", std::string(name)};
  return {std::string(name.substr(0, point)), std::string(name.substr(point + 1))};
}

absl::Status ValidateMetricNames(const std::vector<std::string>& names,
                                 const std::vector<std::string>& further) {
  if (names.empty())
    return absl::InvalidArgumentError("train.metric: expected a metric, found none");
  const std::vector<std::string> known = MetricTexts();
  std::set<std::string> seen;
  for (const std::string& name : names) {
    const auto [set, metric] = ValidationMetricName::Parse(name);
    if (std::find(known.begin(), known.end(), metric) == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat("train.metric: expected ",
                                                     absl::StrJoin(known, ", "), ", found ", name,
                                                     DidYouMean(metric, known)));
    }
    if (!set.empty() && std::find(further.begin(), further.end(), set) == further.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("train.metric: ", name, ": '", set,
                       "' is not in data.valid_names behind the first, whose metrics have plain "
                       "names"));
    }
    if (!seen.insert(name).second)
      return absl::InvalidArgumentError(absl::StrCat("train.metric: ", name, " is given twice"));
  }
  return absl::OkStatus();
}

bool AreLosses(const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [](const std::string& name) {
    return IsLoss(ValidationMetricName::Parse(name).metric);
  });
}

bool HaveCommand(const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return ValidationMetricName::Parse(name).metric == kCommandMetric;
  });
}

double MetricScore(absl::string_view name, double value) {
  const std::string metric = ValidationMetricName::Parse(name).metric;
  const std::optional<MetricKind> kind = EnumFromText<MetricKind>(metric);
  const bool lower = kind ? MakeMetric(*kind).value()->LowerIsBetter() : IsLoss(metric);
  return lower ? -value : value;
}

absl::StatusOr<std::map<std::string, double>> OutputMetrics(
    const std::vector<std::string>& outputs,
    const std::vector<std::vector<std::string>>& references, const std::vector<std::string>& names,
    absl::string_view set, const MetricOptions& options) {
  std::set<MetricKind> kinds = {MetricKind::kBleu, MetricKind::kChrf, MetricKind::kAccuracy};
  for (const std::string& name : names) {
    const ValidationMetricName parsed = ValidationMetricName::Parse(name);
    const std::optional<MetricKind> kind = EnumFromText<MetricKind>(parsed.metric);
    if (kind && parsed.set == set) kinds.insert(*kind);
  }
  std::map<std::string, double> values;
  for (const MetricKind kind : kinds) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const auto metric, MakeMetric(kind, options));
    SEQ2SEQ_ASSIGN_OR_RETURN(const SegmentCounts counts, metric->Count(outputs, references));
    values.emplace(EnumText(kind), metric->Score(counts.Sum()));
  }
  return values;
}

}  // namespace seq2seq
