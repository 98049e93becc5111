#include "seq2seq/train/run_log.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "seq2seq/base/file.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {

absl::Status TruncateLog(const std::string& path, int64_t last_update) {
  if (!std::filesystem::exists(path)) return absl::OkStatus();
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> lines, ReadLines(path));
  std::string kept;
  for (const std::string& line : lines) {
    const auto event = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (event.is_object() && event.value("update", last_update + 1) <= last_update)
      kept += line + "\n";
  }
  return WriteFile(path, kept);
}

absl::Status AppendToLog(const std::string& path, const std::string& line) {
  std::FILE* file = std::fopen(path.c_str(), "ae");
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot open"));
  const bool written = std::fprintf(file, "%s\n", line.c_str()) > 0;
  const bool closed = std::fclose(file) == 0;
  return written && closed ? absl::OkStatus()
                           : absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot write"));
}

}  // namespace seq2seq
