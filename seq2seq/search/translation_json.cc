#include "seq2seq/search/translation_json.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <nlohmann/json.hpp>

#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/search/alignment.h"

namespace seq2seq {
namespace {

using nlohmann::json;

// Without exceptions, whatever the bytes.
std::string Dump(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool IsTexts(const json& value) {
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const json& item) { return item.is_string(); });
}

absl::Status Wrong(const std::string& key, const char* expected, const json& value) {
  std::string found = Dump(value);
  constexpr size_t kShown = 100;
  if (found.size() > kShown) found = found.substr(0, kShown) + "…";
  return absl::InvalidArgumentError(absl::StrCat(key, ": expected ", expected, ", found ", found));
}

}  // namespace

absl::StatusOr<RequestBlock> ParseRequests(absl::string_view text, const SearchOptions& defaults) {
  const json object = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return absl::InvalidArgumentError("not a JSON object");
  RequestBlock block;
  block.options = defaults;
  const OptionList options = ListOptions(block.options);
  std::vector<std::string> texts;
  Request wishes;
  for (const auto& [key, value] : object.items()) {
    if (key == "text") {
      block.is_list = value.is_array();
      if (!IsTexts(value) && !value.is_string())
        return Wrong(key, "a text or a list of texts", value);
      if (block.is_list) {
        texts = value.get<std::vector<std::string>>();
      } else {
        texts = {value.get<std::string>()};
      }
    } else if (key == "prefix") {
      if (!value.is_string()) return Wrong(key, "a text", value);
      wishes.prefix = value;
    } else if (key == "constraints") {
      if (!IsTexts(value)) return Wrong(key, "a list of texts", value);
      wishes.constraints = value.get<std::vector<std::string>>();
    } else {
      // JSON is YAML, too.
      SEQ2SEQ_RETURN_IF_ERROR(SetOption(absl::StrCat(key, "=", Dump(value)), options));
    }
  }
  if (!object.contains("text")) return absl::InvalidArgumentError("text: missing");
  for (std::string& line : texts) {
    block.requests.push_back(wishes);
    block.requests.back().text = std::move(line);
  }
  SEQ2SEQ_RETURN_IF_ERROR(Validate(block.options));
  return block;
}

std::string CandidateJson(const Candidate& candidate) {
  nlohmann::ordered_json object = {{"text", candidate.text},
                                   {"score", candidate.score},
                                   {"log_probability", candidate.log_probability},
                                   {"pieces", candidate.pieces},
                                   {"token_scores", candidate.token_scores}};
  if (!candidate.alignment.weights.empty()) {
    object["source_pieces"] = candidate.alignment.source;
    object["alignment"] = PharaohText(candidate);
    object["attention"] = candidate.alignment.weights;
  }
  return Dump(object);
}

std::string PharaohText(const Candidate& candidate) {
  return absl::StrJoin(AlignWords(candidate), " ", [](std::string* out, const AlignedWords& words) {
    absl::StrAppend(out, words.source, "-", words.target);
  });
}

}  // namespace seq2seq
