// Images of the training and validation data, and their cached features.
#ifndef SEQ2SEQ_TRAIN_IMAGE_DATA_H_
#define SEQ2SEQ_TRAIN_IMAGE_DATA_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include <c10/core/Device.h>

#include "seq2seq/data/batch.h"
#include "seq2seq/data/feature_cache.h"
#include "seq2seq/data/image_set.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/source/image_source.h"
#include "seq2seq/source/source.h"
#include "seq2seq/train/training_config.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {

// The images of all tables, and their features if the image network is frozen. Thread-safe.
class ImageData {
 public:
  // Checks that the images that `tables` name can be read, or computes the features that are not
  // yet in the run's cache; images that cannot be read are named, counted and left out. Sets
  // config.model.image.channels, and copies the network's file into the run folder.
  static absl::StatusOr<std::unique_ptr<ImageData>> Prepare(const RunFolder& run,
                                                            c10::Device device,
                                                            const std::vector<std::string>& tables,
                                                            TrainingConfig& config);

  const ImageSet& images() const { return images_; }

  // The encoder's input for the image `name`, without augmentation: pixels, or cached features.
  // NotFound for an image that no table names, or that was left out.
  absl::StatusOr<Array> Read(const std::string& name) const;

  // A source that reads images by name, as Read does. Must not outlive this.
  std::unique_ptr<Source> MakeSource() const;

  // The encoder's input for the images of a batch, augmented where there is a seed. Must not
  // outlive this.
  ImageReader Reader() const;

 private:
  ImageData(const TrainingConfig& config, ImageSet images);

  const ImageOptions options_;
  const AugmentOptions augment_;
  const int64_t max_pixels_;
  const ImageSource files_;  // Reads images by path.
  ImageSet images_;
  std::optional<FeatureCache> features_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_IMAGE_DATA_H_
