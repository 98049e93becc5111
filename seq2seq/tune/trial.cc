#include "seq2seq/tune/trial.h"

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "seq2seq/base/json.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {

std::string ToText(const Trial& trial, const SearchSpace& space) {
  using Json = nlohmann::ordered_json;
  Json parameters = Json::object(), results = Json::array();
  for (size_t i = 0; i < space.size(); ++i) {
    if (trial.point[i]) parameters[space.parameters()[i].key] = space.Text(i, *trial.point[i]);
  }
  for (const TrialResult& result : trial.results) {
    results.push_back(
        {{"updates", result.updates}, {"value", result.value}, {"seconds", result.seconds}});
  }
  const Json json = {{"number", trial.number},     {"parameters", parameters},
                     {"rung", trial.rung},         {"results", results},
                     {"complete", trial.complete}, {"error", trial.error}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<Trial> ParseTrial(absl::string_view text, const SearchSpace& space) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const nlohmann::json json, ParseJson(text, {.depth = 3}));
  Trial trial;
  try {
    trial.number = json.at("number").get<int64_t>();
    trial.rung = json.at("rung").get<int64_t>();
    trial.complete = json.at("complete").get<bool>();
    trial.error = json.at("error").get<std::string>();
    for (const nlohmann::json& result : json.at("results")) {
      trial.results.push_back({result.at("updates").get<int64_t>(),
                               result.at("value").get<double>(),
                               result.at("seconds").get<double>()});
    }
    const auto values = json.at("parameters").get<std::map<std::string, std::string>>();
    for (size_t i = 0; i < space.size(); ++i) {
      const std::string& key = space.parameters()[i].key;
      const auto found = values.find(key);
      trial.point.emplace_back();
      if (found == values.end()) continue;
      trial.point.back() = space.FromText(i, found->second);
      if (!trial.point.back()) {
        return absl::DataLossError(absl::StrCat("parameters: ", key, ": '", found->second,
                                                "' is not in the search space"));
      }
    }
  } catch (const nlohmann::json::exception& error) {
    return absl::DataLossError(error.what());
  }
  return trial;
}

}  // namespace seq2seq
