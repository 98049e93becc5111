#include "seq2seq/source/image_source.h"

#include <utility>

#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/image/feature_file.h"

namespace seq2seq {

ImageSource::ImageSource(ImageOptions image, bool features, int64_t max_pixels)
    : image_(std::move(image)), features_(features), max_pixels_(max_pixels) {}

std::optional<SourceInput> ImageSource::Read(const std::string& line, int64_t max_length) const {
  if (line.empty()) return std::nullopt;
  SourceInput input;
  input.file = line;
  return input;
}

absl::Status ImageSource::Load(SourceInput& input) const {
  if (input.values.defined()) return absl::OkStatus();
  SEQ2SEQ_ASSIGN_OR_RETURN(input.values, features_
                                             ? ReadFeatures(input.file, max_pixels_)
                                             : ReadImage(input.file, image_, {}, max_pixels_));
  return absl::OkStatus();
}

uint64_t ImageSource::Fingerprint() const {
  seq2seq::Fingerprint fingerprint;
  fingerprint.AddValue(features_);
  ImageOptions options = image_;
  for (const Option& option : ListOptions(options)) {
    fingerprint.Add(OptionText(option));
    fingerprint.Add("\n");
  }
  return fingerprint.value();
}

}  // namespace seq2seq
