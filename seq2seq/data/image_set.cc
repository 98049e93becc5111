#include "seq2seq/data/image_set.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <filesystem>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/log.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {

absl::StatusOr<ImageSet> ImageSet::Open(const std::string& folder,
                                        const std::vector<std::string>& tables) {
  if (!std::filesystem::is_directory(folder)) {
    return absl::NotFoundError(absl::StrCat(folder, ": no such folder of images"));
  }
  ImageSet set;
  set.folder_ = folder;
  for (const std::string& table : tables) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> lines, ReadLines(table));
    for (size_t i = 0; i < lines.size(); ++i) {
      const size_t tab = lines[i].find('\t');
      if (tab == std::string::npos || tab == 0) {
        return absl::InvalidArgumentError(absl::StrCat(table, ":", i + 1,
                                                       ": expected image<TAB>caption, found '",
                                                       lines[i].substr(0, 80), "'"));
      }
      if (set.names_.empty() || set.names_.back() != lines[i].substr(0, tab)) {
        set.names_.push_back(lines[i].substr(0, tab));
      }
    }
  }
  std::sort(set.names_.begin(), set.names_.end());
  set.names_.erase(std::unique(set.names_.begin(), set.names_.end()), set.names_.end());
  for (size_t i = 0; i < set.names_.size(); ++i) {
    set.numbers_.emplace(set.names_[i], static_cast<int32_t>(i));
  }
  return set;
}

std::string ImageSet::Path(int64_t image) const {
  return (std::filesystem::path(folder_) / name(image)).string();
}

std::optional<int32_t> ImageSet::Find(absl::string_view name) const {
  const auto found = numbers_.find(name);
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

void ImageSet::Drop(int64_t image) { numbers_.erase(name(image)); }

void ImageSet::DropUnreadable(const std::function<absl::Status(const std::string& path)>& read) {
  std::vector<absl::Status> results(names_.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < results.size(); i = next++) {
      const std::string path = Path(static_cast<int64_t>(i));
      try {
        results[i] = read(path);
      } catch (const std::exception& error) {  // Out of memory, for example.
        results[i] = absl::ResourceExhaustedError(absl::StrCat(path, ": ", error.what()));
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].ok()) continue;
    Log(LogLevel::kWarning, absl::StrCat(results[i].message(), "; left out"));
    Drop(static_cast<int64_t>(i));
  }
}

uint64_t ImageSet::Identity() const {
  Fingerprint fingerprint;
  for (int64_t image = 0; image < size(); ++image) {
    fingerprint.Add(name(image));
    struct stat info = {};
    if (stat(Path(image).c_str(), &info) != 0) info = {};
    fingerprint.AddValue(info.st_size);
    fingerprint.AddValue(info.st_mtim.tv_sec);
    fingerprint.AddValue(info.st_mtim.tv_nsec);
  }
  return fingerprint.value();
}

}  // namespace seq2seq
