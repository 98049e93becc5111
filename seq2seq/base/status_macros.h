// Macros that return errors to the caller:
//
//   SEQ2SEQ_RETURN_IF_ERROR(file.Append(bytes));
//   SEQ2SEQ_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
#ifndef SEQ2SEQ_BASE_STATUS_MACROS_H_
#define SEQ2SEQ_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define SEQ2SEQ_RETURN_IF_ERROR(expression)                                                      \
  do {                                                                                           \
    if (absl::Status seq2seq_status = (expression); !seq2seq_status.ok()) return seq2seq_status; \
  } while (false)

#define SEQ2SEQ_ASSIGN_OR_RETURN(lhs, expression) \
  SEQ2SEQ_ASSIGN_OR_RETURN_(SEQ2SEQ_CONCATENATE_(seq2seq_or_, __LINE__), lhs, expression)

#define SEQ2SEQ_ASSIGN_OR_RETURN_(or_value, lhs, expression) \
  auto or_value = (expression);                              \
  if (!or_value.ok()) return std::move(or_value).status();   \
  lhs = *std::move(or_value)

#define SEQ2SEQ_CONCATENATE_(a, b) SEQ2SEQ_CONCATENATE_INNER_(a, b)
#define SEQ2SEQ_CONCATENATE_INNER_(a, b) a##b

#endif  // SEQ2SEQ_BASE_STATUS_MACROS_H_
