#include "seq2seq/tune/sweep_options.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <yaml-cpp/yaml.h>

#include "seq2seq/base/closest.h"
#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

constexpr char kParameters[] = "parameters";
constexpr size_t kMaxBytes = 1 << 20;
constexpr size_t kMostParameters = 1000;

// The parameters of a sweep file, one by one.
class ParameterReader {
 public:
  explicit ParameterReader(std::string path) : path_(std::move(path)) {}

  absl::StatusOr<std::vector<Parameter>> Read(const YAML::Node& map) {
    if (!map.IsMap() || map.size() == 0) {
      return Error(map, kParameters,
                   "expected parameters, as train.schedule.learning_rate: {min: 0.001, max: 0.01}");
    }
    if (map.size() > kMostParameters)
      return Error(map, kParameters, absl::StrCat("expected at most ", kMostParameters));
    for (const auto& entry : map) {
      const std::string key = entry.first.Scalar();
      SEQ2SEQ_ASSIGN_OR_RETURN(Parameter parameter, ReadParameter(key, entry.second));
      if (IndexOf(key)) return Error(entry.first, key, "is given twice");
      parameters_.push_back(std::move(parameter));
    }
    return parameters_;
  }

 private:
  absl::Status Error(const YAML::Node& node, const std::string& key,
                     const std::string& what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ":", node.Mark().line + 1, ": ", key, ": ", what));
  }

  std::optional<size_t> IndexOf(const std::string& key) const {
    for (size_t i = 0; i < parameters_.size(); ++i) {
      if (parameters_[i].key == key) return i;
    }
    return std::nullopt;
  }

  absl::StatusOr<double> ReadNumber(const std::string& key, const YAML::Node& node) const {
    double number = 0;
    if (node.IsScalar() && absl::SimpleAtod(node.Scalar(), &number) && std::isfinite(number))
      return number;
    return Error(node, key, "expected a number");
  }

  // A value or a list of values, as texts.
  absl::StatusOr<std::vector<std::string>> ReadValues(const std::string& key,
                                                      const YAML::Node& node) const {
    std::vector<std::string> values;
    if (node.IsScalar()) return std::vector<std::string>{node.Scalar()};
    if (!node.IsSequence() || node.size() == 0)
      return Error(node, key, "expected a list of values, as [a, b]");
    for (const YAML::Node& value : node) {
      std::string text;
      if (value.IsScalar()) {
        text = value.Scalar();
      } else if (value.IsSequence()) {  // A list is a value too: data.train, train.freeze.
        for (const YAML::Node& item : value) {
          if (!item.IsScalar()) return Error(value, key, "expected a text or a list of texts");
          absl::StrAppend(&text, text.empty() ? "[" : ",", item.Scalar());
        }
        text = text.empty() ? "[]" : text + "]";
      } else {
        return Error(value, key, "expected a text or a list of texts");
      }
      if (std::find(values.begin(), values.end(), text) != values.end())
        return Error(value, key, absl::StrCat("'", text, "' is given twice"));
      values.push_back(std::move(text));
    }
    return values;
  }

  absl::StatusOr<Condition> ReadCondition(const std::string& key, const YAML::Node& node) const {
    if (!node.IsMap() || node.size() != 1) {
      return Error(node, key, "expected when: {parameter: value}, or a list of values");
    }
    const std::string other = node.begin()->first.Scalar();
    const std::optional<size_t> index = IndexOf(other);
    if (!index) {
      return Error(node, key,
                   absl::StrCat("when: '", other, "' is no parameter that stands before it"));
    }
    Condition condition = {*index, {}};
    SEQ2SEQ_ASSIGN_OR_RETURN(condition.values, ReadValues(key, node.begin()->second));
    const Parameter& asked = parameters_[*index];
    if (asked.distribution != Distribution::kCategorical)
      return Error(node, key, absl::StrCat("when: '", other, "' has no list of values"));
    for (const std::string& value : condition.values) {
      if (std::find(asked.values.begin(), asked.values.end(), value) == asked.values.end())
        return Error(node, key, absl::StrCat("when: '", value, "' is no value of ", other));
    }
    return condition;
  }

  absl::Status ReadField(const std::string& key, const std::string& field, const YAML::Node& node,
                         Parameter& parameter, std::optional<Distribution>& distribution) const {
    if (field == "values" || field == "value") {
      SEQ2SEQ_ASSIGN_OR_RETURN(parameter.values, ReadValues(key, node));
    } else if (field == "min" || field == "max" || field == "step") {
      double& number = field == "min"   ? parameter.min
                       : field == "max" ? parameter.max
                                        : parameter.step;
      SEQ2SEQ_ASSIGN_OR_RETURN(number, ReadNumber(key, node));
      if (field == "step" && number <= 0) return Error(node, key, "step: expected more than 0");
    } else if (field == "distribution") {
      distribution = EnumFromText<Distribution>(node.IsScalar() ? node.Scalar() : "");
      if (!distribution) {
        return Error(node, key,
                     absl::StrCat("distribution: expected ",
                                  absl::StrJoin(EnumTexts(Distribution()), ", ")));
      }
    } else if (field == "when") {
      SEQ2SEQ_ASSIGN_OR_RETURN(parameter.when, ReadCondition(key, node));
    } else {
      return Error(node, key,
                   absl::StrCat("unknown key '", field, "'",
                                DidYouMean(field, {"values", "value", "min", "max", "step",
                                                   "distribution", "when"})));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Parameter> ReadParameter(const std::string& key, const YAML::Node& node) const {
    if (!node.IsMap()) return Error(node, key, "expected {values: [...]} or {min: ..., max: ...}");
    Parameter parameter;
    parameter.key = key;
    std::optional<Distribution> distribution;
    std::set<std::string> fields;
    bool whole = true;  // Whether both ends are written as whole numbers.
    for (const auto& entry : node) {
      const std::string field = entry.first.Scalar();
      if (!fields.insert(field).second) return Error(entry.first, key, field + " is given twice");
      SEQ2SEQ_RETURN_IF_ERROR(ReadField(key, field, entry.second, parameter, distribution));
      int64_t number = 0;
      if (field == "min" || field == "max" || field == "step")
        whole = whole && absl::SimpleAtoi(entry.second.Scalar(), &number);
    }
    const bool is_list = fields.count("values") + fields.count("value") > 0;
    const bool is_range = fields.count("min") + fields.count("max") > 0;
    if (is_list == is_range || (is_range && fields.count("min") + fields.count("max") < 2))
      return Error(node, key, "expected values, or min and max");
    parameter.distribution = distribution.value_or(is_list ? Distribution::kCategorical
                                                   : whole ? Distribution::kInt
                                                           : Distribution::kUniform);
    const std::string wrong = Mistake(parameter, is_list, whole);
    if (!wrong.empty()) return Error(node, key, wrong);
    return parameter;
  }

  // What is wrong with a range or a list; empty if nothing is.
  static std::string Mistake(const Parameter& parameter, bool is_list, bool whole) {
    const std::string name = EnumText(parameter.distribution);
    switch (parameter.distribution) {
      case Distribution::kCategorical:
        return is_list ? "" : "distribution: categorical needs values";
      case Distribution::kInt:
      case Distribution::kLogInt:
        if (!whole) return absl::StrCat("distribution: ", name, " needs whole numbers");
        break;
      case Distribution::kUniform:
      case Distribution::kLogUniform:
        break;
    }
    if (is_list) return absl::StrCat("distribution: ", name, " needs min and max");
    if (!(parameter.min <= parameter.max)) {
      return absl::StrCat("expected min <= max, found ", parameter.min, " and ", parameter.max);
    }
    const bool is_log = parameter.distribution == Distribution::kLogUniform ||
                        parameter.distribution == Distribution::kLogInt;
    if (is_log && parameter.min <= 0)
      return absl::StrCat("distribution: ", name, " needs min > 0, found ", parameter.min);
    if (is_log && parameter.step > 0) return absl::StrCat("distribution: ", name, " has no step");
    return "";
  }

  const std::string path_;
  std::vector<Parameter> parameters_;
};

// Reads `parameters`; refuses other keys than those of `options`.
absl::StatusOr<std::vector<Parameter>> ReadParameters(const std::string& path,
                                                      const OptionList& options) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxBytes));
  std::vector<std::string> known = {kParameters};
  for (const Option& option : options) known.push_back(option.key.substr(0, option.key.find('.')));
  std::optional<std::vector<Parameter>> parameters;
  try {
    const YAML::Node root = YAML::Load(text);
    for (const auto& entry : root) {
      const std::string key = entry.first.Scalar();
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        return absl::InvalidArgumentError(absl::StrCat(path, ":", entry.first.Mark().line + 1,
                                                       ": unknown key '", key, "'",
                                                       DidYouMean(key, known)));
      }
      if (key != kParameters) continue;
      SEQ2SEQ_ASSIGN_OR_RETURN(parameters, ParameterReader(path).Read(entry.second));
    }
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ":", error.mark.line + 1, ": ", error.msg));
  }
  if (parameters) return *std::move(parameters);
  return absl::InvalidArgumentError(absl::StrCat(path, ": has no parameters"));
}

absl::Status Validate(const Sweep& sweep) {
  const SweepOptions& options = sweep.options;
  OptionRules rules;
  rules.Expect("folder", "nothing", !options.folder.empty(), "the folder of the sweep");
  rules.Expect("metric.name", "nothing", !options.metric.name.empty(), "a metric");
  rules.Expect("parallel", options.parallel, options.parallel >= 1 && options.parallel <= 1024,
               "1 to 1024");
  rules.Expect("budget.minutes", options.budget.minutes, options.budget.minutes >= 0, "0 or more");
  rules.Expect("budget.trials", options.budget.trials,
               options.budget.trials >= 0 && options.budget.trials <= 100'000, "0 to 100,000");
  const bool is_grid = options.method == SearchMethod::kGrid;
  rules.Expect("budget", "no bound",
               is_grid || options.budget.minutes > 0 || options.budget.trials > 0,
               "minutes or trials, unless method is grid");
  if (options.early_terminate.type == EarlyTerminationType::kAsha) {
    rules.Expect("early_terminate.min", options.early_terminate.min,
                 options.early_terminate.min >= 1, "1 or more updates");
    rules.Expect("early_terminate.eta", options.early_terminate.eta,
                 options.early_terminate.eta > 1 && options.early_terminate.eta <= 1000,
                 "more than 1 and at most 1000");
    rules.Expect("early_terminate.max", options.early_terminate.max,
                 options.early_terminate.max == 0 ||
                     options.early_terminate.max >= options.early_terminate.min,
                 "0, or early_terminate.min or more");
  }
  for (size_t i = 0; i < sweep.space.size(); ++i) {
    const Parameter& parameter = sweep.space.parameters()[i];
    rules.Expect(parameter.key, "none", !is_grid || sweep.space.NumValues(i) > 0,
                 "a step, since method is grid");
    rules.Expect("tokenizer_text", "nothing",
                 !absl::StartsWith(parameter.key, "tokenizer.") || !options.tokenizer_text.empty(),
                 absl::StrCat("files, since ", parameter.key, " is searched"));
    const bool set_by_sweep = parameter.key == "train.run" || parameter.key == "train.max_updates";
    rules.Expect("parameters", parameter.key, !set_by_sweep, "others: the sweep sets this one");
  }
  return rules.status();
}

}  // namespace

absl::StatusOr<Sweep> ReadSweep(const std::string& path, const std::vector<std::string>& settings) {
  Sweep sweep;
  const OptionList options = ListOptions(sweep.options);
  SEQ2SEQ_RETURN_IF_ERROR(ReadOptions(path, options, OtherSections::kIgnored, kMaxBytes));
  SEQ2SEQ_ASSIGN_OR_RETURN(std::vector<Parameter> parameters, ReadParameters(path, options));
  for (const std::string& setting : settings) SEQ2SEQ_RETURN_IF_ERROR(SetOption(setting, options));
  sweep.space = SearchSpace(std::move(parameters));
  if (const absl::Status valid = Validate(sweep); !valid.ok())
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", valid.message()));
  return sweep;
}

}  // namespace seq2seq
