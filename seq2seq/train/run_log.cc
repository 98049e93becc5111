#include "seq2seq/train/run_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include <nlohmann/json.hpp>

#include "seq2seq/base/file.h"
#include "seq2seq/base/file_system.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {

absl::Status RunLog::Truncate(int64_t last_update) {
  size_ = 0;
  pending_.clear();
  std::error_code ignored;
  if (!std::filesystem::exists(path_, ignored)) return absl::OkStatus();
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(path_));
  std::string kept;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const auto event = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!event.is_object()) continue;
    const auto update = event.find("update");
    if (update != event.end() && update->is_number_integer() && *update <= last_update)
      absl::StrAppend(&kept, line, "\n");
  }
  if (kept != text) SEQ2SEQ_RETURN_IF_ERROR(WriteFile(path_, kept));
  size_ = kept.size();
  return absl::OkStatus();
}

absl::Status RunLog::Append(const std::string& line) {
  absl::StrAppend(&pending_, line, "\n");
  return Write(/*sync=*/false);
}

absl::Status RunLog::Sync() { return Write(/*sync=*/true); }

absl::Status RunLog::Write(bool sync) {
  const auto error = [&](absl::string_view action) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path_, ": cannot ", action));
  };
  FileSystem& files = CurrentFileSystem();
  const int descriptor = files.Open(path_, O_WRONLY | O_CREAT);
  if (descriptor < 0) return error("open");
  absl::Status status;
  // Writes at size_, over the remains of a failed write, or at the end of a file that was
  // truncated.
  struct stat info;
  if (fstat(descriptor, &info) != 0)
    status = error("read");
  else
    size_ = std::min(size_, static_cast<size_t>(info.st_size));
  while (status.ok() && !pending_.empty()) {
    const ssize_t written =
        files.Write(descriptor, pending_.data(), pending_.size(), static_cast<off_t>(size_));
    if (written < 0 && errno != EINTR) status = error("write");
    if (written <= 0) continue;
    size_ += static_cast<size_t>(written);
    pending_.erase(0, static_cast<size_t>(written));
  }
  if (status.ok() && sync && files.Sync(descriptor) != 0) status = error("sync");
  close(descriptor);
  return status;
}

}  // namespace seq2seq
