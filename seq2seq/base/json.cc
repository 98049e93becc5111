#include "seq2seq/base/json.h"

#include "absl/strings/str_cat.h"

namespace seq2seq {
namespace {

absl::Status CheckLimits(absl::string_view text, const JsonLimits& limits) {
  const auto size = static_cast<int64_t>(text.size());
  if (size > limits.bytes) {
    return absl::OutOfRangeError(
        absl::StrCat("JSON of ", size, " bytes, at most ", limits.bytes, " are allowed"));
  }
  // Scans as the parser does up to the first syntax error, where the parser stops.
  int64_t depth = 0;
  int64_t values = 1;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        quoted = !quoted;
        break;
      case '\\':
        ++i;
        break;
      case '[':
      case '{':
        if (!quoted && ++depth > limits.depth) {
          return absl::OutOfRangeError(absl::StrCat("JSON with more than ", limits.depth,
                                                    " levels of nesting, at byte ", i));
        }
        [[fallthrough]];
      case ',':
      case ':':
        if (!quoted && ++values > limits.values) {
          return absl::OutOfRangeError(
              absl::StrCat("JSON with more than ", limits.values, " values, at byte ", i));
        }
        break;
      case ']':
      case '}':
        if (!quoted) --depth;
        break;
      default:
        break;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text, const JsonLimits& limits) {
  if (absl::Status status = CheckLimits(text, limits); !status.ok()) return status;
  try {
    return nlohmann::json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::parse_error& error) {
    return absl::InvalidArgumentError(absl::StrCat("invalid JSON at byte ", error.byte));
  } catch (const nlohmann::json::exception&) {
    return absl::InvalidArgumentError("invalid JSON: a number is too large");
  }
}

}  // namespace seq2seq
