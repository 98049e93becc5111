// Files that must stay the same for the lifetime of a run.
#ifndef SEQ2SEQ_TRAIN_PIN_FILE_H_
#define SEQ2SEQ_TRAIN_PIN_FILE_H_

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {

// Stores `contents` as the file `kept` of a run; if that exists, it must hold the same. `what` and
// the file `given` name it in the error.
inline absl::Status PinFile(absl::string_view contents, absl::string_view what,
                            const std::string& given, const std::string& kept) {
  if (!std::filesystem::exists(kept)) return WriteFile(kept, contents);
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string before, ReadFile(kept));
  if (before == contents) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(given, ": differs from the ", what,
                                                    " that the run was started with, ", kept,
                                                    "; use another train.run"));
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_PIN_FILE_H_
