#include "seq2seq/train/standard_input.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "seq2seq/base/byte_reader.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/log.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {

std::string StandardInputCopy(const RunFolder& run) { return run.Cache() + "/stdin.txt"; }

std::vector<std::string> ReplaceStandardInput(const RunFolder& run,
                                              std::vector<std::string> files) {
  std::replace(files.begin(), files.end(), std::string("-"), StandardInputCopy(run));
  return files;
}

absl::StatusOr<bool> CopyStandardInput(const RunFolder& run) {
  const std::string path = StandardInputCopy(run);
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    Log(LogLevel::kInfo, absl::StrCat("data.train: - is ", path,
                                      ", copied at an earlier start; standard input is not read"));
    return false;
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<ByteReader> input, ByteReader::Open("-"));
  SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFile copy, AtomicFile::Create(path));
  while (true) {
    const absl::StatusOr<absl::string_view> bytes = input->Next();
    if (!bytes.ok()) {
      return absl::Status(
          bytes.status().code(),
          absl::StrCat("data.train: cannot read standard input: ", bytes.status().message()));
    }
    if (bytes->empty()) break;
    SEQ2SEQ_RETURN_IF_ERROR(copy.Append(*bytes));
  }
  if (copy.size() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("data.train: standard input, -, is empty, and not copied to ", path,
                     " at an earlier start"));
  }
  SEQ2SEQ_RETURN_IF_ERROR(copy.Commit());
  Log(LogLevel::kInfo,
      absl::StrCat("data.train: copied standard input, ", copy.size(), " bytes, to ", path));
  return true;
}

}  // namespace seq2seq
