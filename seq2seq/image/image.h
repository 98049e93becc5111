// Image files to arrays of pixels, with augmentation.
#ifndef SEQ2SEQ_IMAGE_IMAGE_H_
#define SEQ2SEQ_IMAGE_IMAGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "seq2seq/weights/array.h"

namespace seq2seq {

// Default limit of decoded pixels; each takes at most 12 bytes.
inline constexpr int64_t kMaxPixels = 100'000'000;

// Preprocessing of images.
struct ImageOptions {
  int64_t size = 224;
  int64_t resize = 0;
  std::vector<double> mean = {0.485, 0.456, 0.406};
  std::vector<double> deviation = {0.229, 0.224, 0.225};

  bool operator==(const ImageOptions&) const = default;

  template <typename V>
  void Visit(V&& visit) {
    visit("size", size, "Height and width of the centre crop in pixels, 8 to 4,096.");
    visit("resize", resize,
          "Length of the shorter side before the crop, in pixels, `size` to 8,192; 0 is `size`, "
          "which keeps most of the image.");
    visit("mean", mean,
          "Mean of red, green and blue, subtracted from values from 0 to 1. The defaults are "
          "ImageNet's.");
    visit("deviation", deviation,
          "Standard deviation of red, green and blue, above 0, by which the differences are "
          "divided.");
  }
};

// Augmentation of training images.
struct AugmentOptions {
  bool flip = false;
  double crop = 0;
  double jitter = 0;
  int64_t views = 0;

  bool any() const { return flip || crop > 0 || jitter > 0; }

  template <typename V>
  void Visit(V&& visit) {
    visit("flip", flip,
          "Mirror images at random, with probability 0.5. Not where captions tell left from right "
          "or images show letters.");
    visit("crop", crop,
          "Random square crops whose side is smaller by up to this share. 0.1 to 0.4; 0 is off.");
    visit("jitter", jitter,
          "Random changes of brightness and contrast by up to this share. 0.1 to 0.4; 0 is off.");
    visit(
        "views", views,
        "For frozen image networks, whose features are computed once: how many augmented views of "
        "each image are computed besides the image itself; training takes one of them, or the "
        "image, at random. 0 to 100; each costs as much time and space as the images, those of "
        "validation included.");
  }
};

// InvalidArgument, naming the key below `section` and its value, if `options` are invalid.
absl::Status Validate(const ImageOptions& options, const std::string& section);
absl::Status Validate(const AugmentOptions& options, const std::string& section);

// The augmentation of one image.
struct Augmentation {
  AugmentOptions options;
  uint64_t seed = 0;  // For this image, this time.
};

// Reads a JPEG, PNG, WebP, BMP, TIFF or PNM file of integer samples: [3, size, size], fp32.
// Errors name the file and the cause; images of more than `max_pixels` are refused before they are
// decoded. Thread-safe: threads wait for one another where they would hold more than `max_pixels`
// together. A photograph of 224 x 224 takes about a millisecond.
absl::StatusOr<Array> ReadImage(const std::string& path, const ImageOptions& options,
                                const std::optional<Augmentation>& augmentation = {},
                                int64_t max_pixels = kMaxPixels);

}  // namespace seq2seq

#endif  // SEQ2SEQ_IMAGE_IMAGE_H_
