// Parsing of untrusted JSON within limits.
#ifndef SEQ2SEQ_BASE_JSON_H_
#define SEQ2SEQ_BASE_JSON_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include <nlohmann/json.hpp>

namespace seq2seq {

// Upper bounds of what is parsed. A value takes some 20 times the memory of its shortest text, and
// code that traverses a value recurses once per level of nesting.
struct JsonLimits {
  int64_t bytes = 100'000'000;
  int64_t values = 10'000'000;  // Strings, numbers, arrays, objects, and the keys of these.
  int64_t depth = 8;            // Of nested arrays and objects.
};

// Parses `text`. InvalidArgument if it is invalid, with the byte of the error; OutOfRange if it
// exceeds a limit, which the message names, before any value is built.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(const nlohmann::json value, ParseJson(text, {.depth = 2}));
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text, const JsonLimits& limits = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_JSON_H_
