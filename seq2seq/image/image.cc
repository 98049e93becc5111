#include "seq2seq/image/image.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/file.h"
#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/random.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/image/image_header.h"
#include "seq2seq/image/image_library.h"
#include "seq2seq/image/pixel_budget.h"

namespace seq2seq {
namespace {

// A sequence of random numbers from 0 to 1.
class Draws {
 public:
  explicit Draws(uint64_t seed) : seed_(seed) {}

  double Next() {
    seed_ = Mix(seed_);
    return std::ldexp(static_cast<double>(seed_ >> 11), -53);
  }

 private:
  uint64_t seed_;
};

// The centre crop in pixels of the file, so that an image is resized only once.
Square MiddleSquare(const Pixels& image, const ImageOptions& options) {
  const int64_t shorter = std::min(image.height, image.width);
  const int64_t resize = std::max(options.resize, options.size);
  const int64_t side = std::max<int64_t>(shorter * options.size / resize, 1);
  return {(image.height - side) / 2, (image.width - side) / 2, side};
}

// A random smaller square within `middle`.
Square RandomSquare(const Square& middle, double crop, Draws& draws) {
  const int64_t side = std::max<int64_t>(
      std::lround(static_cast<double>(middle.side) * (1 - crop * draws.Next())), 1);
  const auto room = static_cast<double>(middle.side - side);
  return {middle.top + std::lround(room * draws.Next()),
          middle.left + std::lround(room * draws.Next()), side};
}

// Shared by all threads.
PixelBudget& Decoding() {
  static PixelBudget budget;
  return budget;
}

}  // namespace

absl::Status Validate(const ImageOptions& options, const std::string& section) {
  OptionRules rules;
  rules.Expect(section + ".size", options.size, options.size >= 8 && options.size <= 4096,
               "8 to 4,096");
  rules.Expect(section + ".resize", options.resize,
               options.resize == 0 || (options.resize >= options.size && options.resize <= 8192),
               "0, or model.image.input.size to 8,192");
  rules.Expect(section + ".mean", options.mean.size(), options.mean.size() == 3, "3 numbers");
  rules.Expect(section + ".deviation", options.deviation.size(), options.deviation.size() == 3,
               "3 numbers");
  for (const double deviation : options.deviation) {
    rules.Expect(section + ".deviation", deviation, deviation > 0, "more than 0");
  }
  return rules.status();
}

absl::Status Validate(const AugmentOptions& options, const std::string& section) {
  OptionRules rules;
  rules.ExpectShare(section + ".crop", options.crop);
  rules.ExpectShare(section + ".jitter", options.jitter);
  rules.Expect(section + ".views", options.views, options.views >= 0 && options.views <= 100,
               "0 to 100");
  return rules.status();
}

absl::StatusOr<Array> ReadImage(const std::string& path, const ImageOptions& options,
                                const std::optional<Augmentation>& augmentation,
                                int64_t max_pixels) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const ImageLibrary* library, OpenImageLibrary());
  SEQ2SEQ_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  const absl::string_view contents(file.data(), file.size());
  const auto wrong = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
  };
  const absl::StatusOr<ImageHeader> header = ReadImageHeader(contents);
  if (!header.ok()) return wrong(header.status().message());
  if (header->pixels() > static_cast<uint64_t>(max_pixels)) {
    return wrong(absl::StrCat("has ", header->width, " x ", header->height, " pixels; at most ",
                              max_pixels, " are decoded"));
  }
  const PixelBudget::Share share(Decoding(), header->pixels(), static_cast<uint64_t>(max_pixels));
  Pixels image;
  if (const std::string error = library->decode(contents.data(), contents.size(), image);
      !error.empty()) {
    return wrong(error);
  }
  Square square = MiddleSquare(image, options);
  const AugmentOptions augment = augmentation ? augmentation->options : AugmentOptions();
  Draws draws(augmentation ? augmentation->seed : 0);
  if (augment.crop > 0) square = RandomSquare(square, augment.crop, draws);
  const auto size = static_cast<int>(options.size);
  Pixels resized = {size, size, {}};
  if (const std::string error = library->resize(image, square, resized); !error.empty())
    return wrong(absl::StrCat("cannot be resized: ", error));

  const bool flip = augment.flip && draws.Next() < 0.5;
  const double contrast = 1 + augment.jitter * (2 * draws.Next() - 1);
  const double brightness = augment.jitter * (2 * draws.Next() - 1);
  const Array values = Array::Empty(ArrayType::kFloat32, {3, size, size});
  float* out = values.values<float>();
  for (size_t channel = 0; channel < 3; ++channel) {
    // ((pixel / 255 - 1/2) contrast + 1/2 + brightness - mean) / deviation
    const double scale = contrast / 255 / options.deviation[channel];
    const double shift =
        (0.5 - 0.5 * contrast + brightness - options.mean[channel]) / options.deviation[channel];
    for (int row = 0; row < size; ++row) {
      const uint8_t* pixels = &resized.rgb[static_cast<size_t>(row * size * 3)] + channel;
      for (int column = 0; column < size; ++column) {
        const int from = flip ? size - 1 - column : column;
        *out++ = static_cast<float>(pixels[3 * from] * scale + shift);
      }
    }
  }
  return values;
}

}  // namespace seq2seq
