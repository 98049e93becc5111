// Images as tensors.
#ifndef SEQ2SEQ_DATA_IMAGE_H_
#define SEQ2SEQ_DATA_IMAGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <torch/types.h>

namespace seq2seq {

// Pixels that are decoded unless an option says otherwise; each takes 12 bytes at most.
inline constexpr int64_t kMaxPixels = 100'000'000;

// How a network sees an image.
struct ImageOptions {
  int64_t size = 224;
  int64_t resize = 0;
  std::vector<double> mean = {0.485, 0.456, 0.406};
  std::vector<double> deviation = {0.229, 0.224, 0.225};

  template <typename V>
  void Visit(V&& visit) {
    visit("size", size, "Height and width of the square that is cut out of the middle.");
    visit("resize", resize,
          "The shorter side is made so long before; 0 is as long as `size`, which keeps most.");
    visit("mean", mean,
          "Of red, green and blue, taken off values from 0 to 1. The defaults are ImageNet's.");
    visit("deviation", deviation, "Of red, green and blue, which they are then divided by.");
  }
};

// How training varies images.
struct AugmentOptions {
  bool flip = false;
  double crop = 0;
  double jitter = 0;

  bool any() const { return flip || crop > 0 || jitter > 0; }

  template <typename V>
  void Visit(V&& visit) {
    visit("flip", flip,
          "Mirror every second image. Not where captions tell left from right or hold letters.");
    visit("crop", crop,
          "Cut out at random squares whose side is smaller by up to this share; 0.1 to 0.4.");
    visit("jitter", jitter, "Change brightness and contrast by up to this share; 0.1 to 0.4.");
  }
};

// InvalidArgument, naming the key below `section` and its value.
absl::Status Validate(const ImageOptions& options, const std::string& section);
absl::Status Validate(const AugmentOptions& options, const std::string& section);

// What an image is varied by.
struct Augmentation {
  AugmentOptions options;
  uint64_t seed = 0;  // Of this image this time.
};

// Reads a JPEG, PNG, WebP, BMP, TIFF or PNM file of whole numbers: [3, size, size], floats. Errors
// name the file and what is wrong with it; more than `max_pixels` are refused before they are
// decoded. Thread-safe: threads wait for one another where they would hold more than `max_pixels`
// together. A photograph of 224 x 224 takes about a millisecond.
absl::StatusOr<torch::Tensor> ReadImage(const std::string& path, const ImageOptions& options,
                                        const std::optional<Augmentation>& augmentation = {},
                                        int64_t max_pixels = kMaxPixels);

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_IMAGE_H_
