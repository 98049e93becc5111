#include "seq2seq/train/validation_sample.h"

#include <cmath>

#include <nlohmann/json.hpp>

namespace seq2seq {
namespace {

using Json = nlohmann::ordered_json;

Json AttentionJson(const ValidationSample& sample) {
  Json weights = Json::array();
  for (const std::vector<float>& row : sample.attention) {
    Json& rounded = weights.emplace_back(Json::array());
    for (const float weight : row) rounded.push_back(std::round(1000.0 * weight) / 1000);
  }
  return {{"source", sample.source_subwords},
          {"target", sample.target_subwords},
          {"weights", std::move(weights)}};
}

}  // namespace

std::string SamplesLine(int64_t update, absl::Span<const ValidationSample> samples) {
  Json line = {{"event", "samples"}, {"update", update}, {"lines", Json::array()}};
  for (const ValidationSample& sample : samples) {
    Json& entry = line["lines"].emplace_back();
    entry = {{"source", sample.source}, {"reference", sample.reference}, {"output", sample.output}};
    if (!sample.attention.empty()) entry["attention"] = AttentionJson(sample);
  }
  return line.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace seq2seq
