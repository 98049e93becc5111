// Reading JSON that somebody else wrote.
#ifndef SEQ2SEQ_BASE_JSON_H_
#define SEQ2SEQ_BASE_JSON_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include <nlohmann/json.hpp>

namespace seq2seq {

// What is parsed at most. A value takes some 20 times the memory of its shortest text, and code
// that walks a value calls itself once for each level of nesting.
struct JsonLimits {
  int64_t bytes = 100'000'000;
  int64_t values = 10'000'000;  // Texts, numbers, lists, objects, and the keys of these.
  int64_t depth = 8;            // Of lists and objects inside one another.
};

// The value that `text` is. InvalidArgument where it is none, with the byte at which that shows;
// OutOfRange, before anything is built, where it exceeds a limit, which the message names.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(const nlohmann::json value, ParseJson(text, {.depth = 2}));
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text, const JsonLimits& limits = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_JSON_H_
