// One-line descriptions of exceptions.
#ifndef SEQ2SEQ_BASE_DESCRIBE_ERROR_H_
#define SEQ2SEQ_BASE_DESCRIBE_ERROR_H_

#include <exception>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace seq2seq {

// The first line of the message of `error`: LibTorch appends a backtrace to it.
inline std::string Describe(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

// Internal: "what: description".
inline absl::Status ToStatus(const std::exception& error, absl::string_view what) {
  return absl::InternalError(absl::StrCat(what, ": ", Describe(error)));
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_DESCRIBE_ERROR_H_
