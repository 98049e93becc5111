// Images as a source: pixels or precomputed features of a file.
#ifndef SEQ2SEQ_SOURCE_IMAGE_SOURCE_H_
#define SEQ2SEQ_SOURCE_IMAGE_SOURCE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"

#include "seq2seq/image/image.h"
#include "seq2seq/source/source.h"

namespace seq2seq {

// Reads the name of a file; nothing for an empty one.
class ImageSource : public Source {
 public:
  // Files of `features` hold what ReadFeatures reads, others what ReadImage reads with `image`.
  // More than `max_pixels`, or numbers of features, are refused.
  ImageSource(ImageOptions image, bool features, int64_t max_pixels);

  std::optional<SourceInput> Read(const std::string& line, int64_t max_length) const override;
  absl::Status Load(SourceInput& input) const override;
  SourceKind kind() const override { return SourceKind::kImage; }
  std::string Requirement() const override { return "model.image.input"; }
  uint64_t Fingerprint() const override;

 private:
  ImageOptions image_;
  bool features_;
  int64_t max_pixels_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SOURCE_IMAGE_SOURCE_H_
