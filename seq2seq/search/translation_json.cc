#include "seq2seq/search/translation_json.h"

#include <algorithm>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "seq2seq/base/json.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/search/alignment.h"

namespace seq2seq {
namespace {

using nlohmann::json;

// A request is an object of lists of strings. At this limit, one of short values takes some 5 MB.
constexpr JsonLimits kRequestLimits = {.values = 100'000, .depth = 2};

// Does not throw: invalid UTF-8 is replaced.
std::string Dump(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool IsTexts(const json& value) {
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const json& item) { return item.is_string(); });
}

constexpr size_t kShown = 100;

// The beginning of a long text, for messages.
std::string Shown(const std::string& text) {
  return text.size() > kShown ? text.substr(0, kShown) + "…" : text;
}

absl::Status Wrong(const std::string& key, const char* expected, const json& value) {
  return absl::InvalidArgumentError(
      absl::StrCat(key, ": expected ", expected, ", found ", Shown(Dump(value))));
}

absl::Status SetFromJson(const std::string& key, const json& value, const OptionList& options) {
  if (absl::StrContains(key, '=')) {  // SetOption would split the key there.
    return absl::InvalidArgumentError(absl::StrCat("unknown key '", Shown(key), "'"));
  }
  const auto option = std::find_if(options.begin(), options.end(),
                                   [&](const Option& option) { return option.key == key; });
  if (option != options.end() && IsTexts(value)) {
    if (auto* const* texts = std::get_if<std::vector<std::string>*>(&option->value)) {
      **texts = value.get<std::vector<std::string>>();
      return absl::OkStatus();
    }
  }
  // JSON is also YAML. No other option has a long value: one is cut, read as a text, and refused.
  std::string text = Dump(value);
  if (text.size() > kShown) text = Dump(Shown(text));
  return SetOption(absl::StrCat(Shown(key), "=", text), options);
}

}  // namespace

absl::StatusOr<RequestBlock> ParseRequests(absl::string_view text, const SearchOptions& defaults) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const json object, ParseJson(text, kRequestLimits));
  if (!object.is_object()) return absl::InvalidArgumentError("not a JSON object");
  RequestBlock block;
  block.options = defaults;
  const OptionList options = ListOptions(block.options);
  for (const auto& [key, value] : object.items()) {
    if (key == "text") {
      block.is_list = value.is_array();
      if (!IsTexts(value) && !value.is_string())
        return Wrong(key, "a string or a list of strings", value);
      if (block.is_list) {
        block.texts = value.get<std::vector<std::string>>();
      } else {
        block.texts = {value.get<std::string>()};
      }
    } else if (key == "stream") {
      if (!value.is_boolean()) return Wrong(key, "true or false", value);
      block.stream = value;
    } else if (key == "prefix") {
      if (!value.is_string()) return Wrong(key, "a string", value);
      block.request.prefix = value;
    } else if (key == "constraints") {
      if (!IsTexts(value)) return Wrong(key, "a list of strings", value);
      block.request.constraints = value.get<std::vector<std::string>>();
    } else {
      SEQ2SEQ_RETURN_IF_ERROR(SetFromJson(key, value, options));
      block.named_options.push_back(key);
    }
  }
  if (!object.contains("text")) return absl::InvalidArgumentError("text: missing");
  if (block.stream && block.is_list)
    return absl::InvalidArgumentError("stream: expected one text, found a list");
  SEQ2SEQ_RETURN_IF_ERROR(Validate(block.options));
  return block;
}

std::vector<Request> RequestBlock::Requests() const {
  std::vector<Request> requests(texts.size(), request);
  for (size_t i = 0; i < texts.size(); ++i) requests[i].text = texts[i];
  return requests;
}

std::string CandidateJson(const Candidate& candidate) {
  nlohmann::ordered_json object = {{"text", candidate.text},
                                   {"score", candidate.score},
                                   {"log_probability", candidate.log_probability},
                                   {"pieces", candidate.subwords},
                                   {"token_scores", candidate.token_scores}};
  if (!candidate.alignment.weights.empty()) {
    object["source_pieces"] = candidate.alignment.source;
    object["alignment"] = PharaohText(AlignWords(candidate));
    object["attention"] = candidate.alignment.weights;
  }
  return Dump(object);
}

}  // namespace seq2seq
