// Cache of image features of a frozen network.
#ifndef SEQ2SEQ_DATA_FEATURE_CACHE_H_
#define SEQ2SEQ_DATA_FEATURE_CACHE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include <torch/types.h>

#include "seq2seq/base/file.h"
#include "seq2seq/data/image_set.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {

// A frozen network's features of the images of a set, or of several views of each, in half
// precision in a memory-mapped file: they occupy only page cache. Thread-safe.
class FeatureCache {
 public:
  struct Network {
    // Reads a view of an image file, 0 being the image itself, as the network's input: floats, of
    // the same shape each time.
    std::function<absl::StatusOr<Array>(const std::string& path, int64_t view)> read;
    // [batch, …] of these -> [batch, position, channels]
    std::function<torch::Tensor(const torch::Tensor& batch)> compute;
    // Of everything besides the images that the features depend on.
    uint64_t fingerprint = 0;
    int64_t views = 1;  // Of each image, with the image itself.
  };

  // Computes the features of `images` into the file `path`, unless that was built from the same;
  // `report` is told how many views are done, of all images together. Images that cannot be read,
  // and those with features beyond half precision, are dropped from `images`, and a warning names
  // each. InvalidArgument if none is left.
  static absl::StatusOr<FeatureCache> Build(const std::string& path, ImageSet& images,
                                            const Network& network,
                                            const std::function<void(int64_t done)>& report);

  int64_t channels() const { return header().channels; }

  // [batch, position, channels], floats: of the images themselves, or of a view of each that `seed`
  // draws.
  torch::Tensor Read(absl::Span<const int64_t> images,
                     const std::optional<uint64_t>& seed = {}) const;

 private:
  // The layout of the file: this header, the features of all views of the first image, of the
  // second, …, and a byte for each view, 1 if it has features.
  struct Header {
    char magic[8];
    uint64_t fingerprint;
    int64_t entries;  // Images times views.
    int64_t positions;
    int64_t channels;
  };

  FeatureCache(MappedFile file, int64_t views) : file_(std::move(file)), views_(views) {}

  static absl::StatusOr<FeatureCache> Open(const std::string& path, int64_t views);
  const Header& header() const { return *reinterpret_cast<const Header*>(file_.data()); }
  const char* features(int64_t entry) const;
  bool has(int64_t image) const;  // All of its views.

  MappedFile file_;
  int64_t views_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_FEATURE_CACHE_H_
