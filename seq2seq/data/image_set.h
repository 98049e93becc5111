// Images of a caption corpus, by name and number.
#ifndef SEQ2SEQ_DATA_IMAGE_SET_H_
#define SEQ2SEQ_DATA_IMAGE_SET_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seq2seq {

// Images by number, in the order of their names.
class ImageSet {
 public:
  // The images in `folder` that the first columns of `tables`, lines of image<TAB>caption, name.
  // Every line must have a tab; the image files are not opened.
  static absl::StatusOr<ImageSet> Open(const std::string& folder,
                                       const std::vector<std::string>& tables);

  int64_t size() const { return static_cast<int64_t>(names_.size()); }
  const std::string& name(int64_t image) const { return names_[static_cast<size_t>(image)]; }
  std::string Path(int64_t image) const;

  // The number of the image `name`; nullopt if it is unknown or was dropped.
  std::optional<int32_t> Find(absl::string_view name) const;

  // Reads every image with `read`, on all processors, and drops those that fail, with a warning
  // that names each.
  void DropUnreadable(const std::function<absl::Status(const std::string& path)>& read);

  // Drops an image; dropped() counts them.
  void Drop(int64_t image);
  int64_t dropped() const { return size() - static_cast<int64_t>(numbers_.size()); }

  // A hash of the names, sizes and modification times of all images.
  uint64_t Identity() const;

 private:
  std::string folder_;
  std::vector<std::string> names_;
  absl::flat_hash_map<std::string, int32_t> numbers_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_IMAGE_SET_H_
