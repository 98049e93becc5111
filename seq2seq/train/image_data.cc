#include "seq2seq/train/image_data.h"

#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <spdlog/spdlog.h>
#include <torch/torch.h>

#include "seq2seq/base/file.h"
#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/random.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/image/image.h"
#include "seq2seq/model/describe_error.h"
#include "seq2seq/model/image_encoder.h"
#include "seq2seq/train/pin_file.h"

namespace seq2seq {
namespace {

// Fingerprint of what features depend on besides the images: the network and its input options.
absl::StatusOr<uint64_t> FingerprintOf(ImageEncoderOptions options) {
  Fingerprint fingerprint;
  for (const Option& option : ListOptions(options.input)) fingerprint.Add(OptionText(option));
  if (!options.network.path.empty()) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(options.network.path));
    fingerprint.Add({file.data(), file.size()});
  }
  return fingerprint.value();
}

// Number of channels of the features, from the network or the first feature file that can be read.
absl::StatusOr<int64_t> FindChannels(const ImageEncoderOptions& options, const ImageSet& images,
                                     int64_t max_pixels) {
  if (options.network.kind != ImageNetworkKind::kFeatures) return CountChannels(options);
  absl::Status last = absl::InvalidArgumentError("data.train: names no image");
  for (int64_t image = 0; image < images.size(); ++image) {
    const auto features = ReadImageInput(options, images.Path(image), max_pixels);
    if (features.ok()) return features->size(1);
    last = features.status();
  }
  return last;
}

absl::StatusOr<FeatureCache> BuildFeatures(const ImageEncoderOptions& options,
                                           const std::string& path, torch::Device device,
                                           int64_t max_pixels, ImageSet& images) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const uint64_t fingerprint, FingerprintOf(options));
  ImageEncoder encoder(options);
  encoder->to(device);
  encoder->eval();
  const FeatureCache::Source source = {
      .read = [&](const std::string& file) { return ReadImageInput(options, file, max_pixels); },
      .compute =
          [&](const torch::Tensor& batch) {
            return batch.dim() == 4 ? encoder->Features(batch.to(device)) : batch;
          },
      .fingerprint = fingerprint};
  return FeatureCache::Build(path, images, source,
                             [&, next = images.size() / 10](int64_t done) mutable {
                               if (done < next) return;
                               spdlog::info("features of {} of {} images", done, images.size());
                               next = done + images.size() / 10;
                             });
}

}  // namespace

ImageData::ImageData(const Config& config, ImageSet images)
    : options_(config.model.image),
      augment_(config.data.augment),
      max_pixels_(config.data.max_pixels),
      images_(std::move(images)) {}

absl::StatusOr<std::unique_ptr<ImageData>> ImageData::Prepare(const RunFolder& run,
                                                              torch::Device device,
                                                              Config& config) {
  ImageEncoderOptions& options = config.model.image;
  std::vector<std::string> tables = config.data.train;
  tables.push_back(config.data.valid[0]);
  SEQ2SEQ_ASSIGN_OR_RETURN(ImageSet images, ImageSet::Open(config.data.images, tables));
  if (options.network.is_frozen() && config.data.augment.any()) {
    return absl::InvalidArgumentError(
        "data.augment: the features of a frozen network are computed once, without augmentation; "
        "leave it out, or choose another model.image.network");
  }
  try {
    if (options.channels == 0) {
      SEQ2SEQ_ASSIGN_OR_RETURN(options.channels,
                               FindChannels(options, images, config.data.max_pixels));
    }
    std::optional<FeatureCache> features;
    if (options.network.is_frozen()) {
      SEQ2SEQ_ASSIGN_OR_RETURN(features, BuildFeatures(options, run.Cache() + "/features", device,
                                                       config.data.max_pixels, images));
      if (features->channels() != options.channels) {
        return absl::InvalidArgumentError(absl::StrCat("model.image.channels: is ",
                                                       options.channels, ", but the features have ",
                                                       features->channels()));
      }
    } else {
      images.DropUnreadable([&](const std::string& path) {
        return ReadImage(path, options.input, {}, config.data.max_pixels).status();
      });
    }
    // After the steps above, which fail if the file is not a network.
    if (!options.network.path.empty()) {
      SEQ2SEQ_ASSIGN_OR_RETURN(const std::string network, ReadFile(options.network.path));
      SEQ2SEQ_RETURN_IF_ERROR(
          PinFile(network, "image network", options.network.path, run.ImageNetwork()));
    }
    spdlog::info("data.images: {} images, {} left out", images.size(), images.dropped());
    std::unique_ptr<ImageData> data(new ImageData(config, std::move(images)));
    data->features_ = std::move(features);
    return data;
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("model.image.network: ", Describe(error)));
  }
}

absl::StatusOr<torch::Tensor> ImageData::Read(const std::string& name) const {
  const std::optional<int32_t> image = images_.Find(name);
  if (!image) return absl::NotFoundError(absl::StrCat(name, ": not among the images"));
  if (features_) return features_->Read({*image})[0];
  return ReadImage(images_.Path(*image), options_.input, {}, max_pixels_);
}

ImageReader ImageData::Reader() const {
  return [this](absl::Span<const int64_t> images, std::optional<uint64_t> seed) {
    if (features_) return features_->Read(images);
    std::vector<torch::Tensor> tensors;
    for (size_t i = 0; i < images.size(); ++i) {
      std::optional<Augmentation> augmentation;
      if (seed) augmentation = {augment_, DeriveSeed({*seed, i})};
      const auto image =
          ReadImage(images_.Path(images[i]), options_.input, augmentation, max_pixels_);
      TORCH_CHECK(image.ok(), std::string(image.status().message()));
      tensors.push_back(*image);
    }
    return torch::stack(tensors);
  };
}

}  // namespace seq2seq
