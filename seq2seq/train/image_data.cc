#include "seq2seq/train/image_data.h"

#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/describe_error.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/log.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/random.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/task.h"
#include "seq2seq/data/stack.h"
#include "seq2seq/image/image.h"
#include "seq2seq/model/image_encoder.h"
#include "seq2seq/model/parameters.h"
#include "seq2seq/train/pin_file.h"

namespace seq2seq {
namespace {

// Fingerprint of what features depend on besides the images: the network, its input options and the
// augmentation.
absl::StatusOr<uint64_t> FingerprintOf(const TrainingConfig& config) {
  ImageEncoderOptions options = config.model.image;
  AugmentOptions augment = config.data.augment;
  Fingerprint fingerprint;
  for (const Option& option : ListOptions(options.input)) fingerprint.Add(OptionText(option));
  if (augment.views > 0) {
    for (const Option& option : ListOptions(augment)) fingerprint.Add(OptionText(option));
    fingerprint.AddValue(config.train.seed);
  }
  if (!options.network.path.empty()) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(options.network.path));
    fingerprint.Add({file.data(), file.size()});
  }
  return fingerprint.value();
}

// Reads pixels, or the features that files hold, by path.
ImageSource FilesOf(const TrainingConfig& config) {
  const ImageEncoderOptions& options = config.model.image;
  return ImageSource(options.input, options.network.kind == ImageNetworkKind::kFeatures,
                     config.data.max_pixels);
}

absl::StatusOr<Array> LoadFile(const ImageSource& files, const std::string& path) {
  SourceInput input;
  input.file = path;
  SEQ2SEQ_RETURN_IF_ERROR(files.Load(input));
  return input.values;
}

// Number of channels of the features, from the network or the first feature file that can be read.
absl::StatusOr<int64_t> FindChannels(const ImageEncoderOptions& options, const ImageSource& files,
                                     const ImageSet& images) {
  if (options.network.kind != ImageNetworkKind::kFeatures) return CountChannels(options);
  absl::Status last = absl::InvalidArgumentError("data.train: names no image");
  for (int64_t image = 0; image < images.size(); ++image) {
    const auto features = LoadFile(files, images.Path(image));
    if (features.ok()) return features->shape[1];
    last = features.status();
  }
  return last;
}

// A view of an image file: the image itself, or, from 1 on, an augmented one.
absl::StatusOr<Array> LoadView(const TrainingConfig& config, const ImageSource& files,
                               const std::string& path, int64_t view) {
  if (view == 0) return LoadFile(files, path);
  Fingerprint seed;
  seed.Add(path);
  const Augmentation augmentation = {
      config.data.augment, DeriveSeed({static_cast<uint64_t>(config.train.seed), seed.value(),
                                       static_cast<uint64_t>(view)})};
  return ReadImage(path, config.model.image.input, augmentation, config.data.max_pixels);
}

absl::StatusOr<FeatureCache> BuildFeatures(const TrainingConfig& config, const ImageSource& files,
                                           const std::string& path, c10::Device device,
                                           ImageSet& images) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const uint64_t fingerprint, FingerprintOf(config));
  ImageEncoder encoder(config.model.image);
  encoder->to(device);
  encoder->eval();
  const FeatureCache::Network network = {
      .read = [&](const std::string& file,
                  int64_t view) { return LoadView(config, files, file, view); },
      .compute =
          [&](const torch::Tensor& batch) {
            return batch.dim() == 4 ? encoder->Features(batch.to(device)) : batch;
          },
      .fingerprint = fingerprint,
      .views = 1 + config.data.augment.views};
  const int64_t views = network.views * images.size();
  Task task("features", "images", views);
  return FeatureCache::Build(path, images, network, [&, next = views / 10](int64_t done) mutable {
    task.Set(done);
    if (done < next) return;
    Log(LogLevel::kInfo, absl::StrCat("features of ", done, " of ", views,
                                      network.views > 1 ? " views of images" : " images"));
    next = done + views / 10;
  });
}

// InvalidArgument unless the image network can see augmented images.
absl::Status ValidateAugmentation(const AugmentOptions& augment,
                                  const ImageNetworkOptions& network) {
  if (network.kind == ImageNetworkKind::kFeatures && augment.any()) {
    return absl::InvalidArgumentError(
        "data.augment: needs images, but model.image.network.kind is features");
  }
  if (network.is_frozen() && augment.any() && augment.views == 0) {
    return absl::InvalidArgumentError(
        "data.augment: the features of a frozen network are computed once, of as many augmented "
        "views of each image as data.augment.views says, which is 0");
  }
  if (augment.views > 0 && !(network.is_frozen() && augment.any())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "data.augment.views: is ", augment.views, ", but ",
        network.is_frozen() ? "flip, crop and jitter are off"
                            : "the image network is trained, and sees each image anew"));
  }
  return absl::OkStatus();
}

// Images by name.
class NamedImageSource : public Source {
 public:
  NamedImageSource(const ImageData& data, const ImageSource& files) : data_(data), files_(files) {}

  std::optional<SourceInput> Read(const std::string& line, int64_t max_length) const override {
    return files_.Read(line, max_length);
  }

  absl::Status Load(SourceInput& input) const override {
    SEQ2SEQ_ASSIGN_OR_RETURN(input.values, data_.Read(input.file));
    return absl::OkStatus();
  }

  SourceKind kind() const override { return files_.kind(); }
  std::string Requirement() const override { return files_.Requirement(); }
  uint64_t Fingerprint() const override { return files_.Fingerprint(); }

 private:
  const ImageData& data_;
  const ImageSource& files_;
};

}  // namespace

ImageData::ImageData(const TrainingConfig& config, ImageSet images)
    : options_(config.model.image.input),
      augment_(config.data.augment),
      max_pixels_(config.data.max_pixels),
      files_(FilesOf(config)),
      images_(std::move(images)) {}

absl::StatusOr<std::unique_ptr<ImageData>> ImageData::Prepare(
    const RunFolder& run, c10::Device device, const std::vector<std::string>& tables,
    TrainingConfig& config) {
  ImageEncoderOptions& options = config.model.image;
  SEQ2SEQ_ASSIGN_OR_RETURN(ImageSet images, ImageSet::Open(config.data.images, tables));
  SEQ2SEQ_RETURN_IF_ERROR(ValidateAugmentation(config.data.augment, options.network));
  const ImageSource files = FilesOf(config);
  try {
    if (options.channels == 0) {
      SEQ2SEQ_ASSIGN_OR_RETURN(options.channels, FindChannels(options, files, images));
    }
    std::optional<FeatureCache> features;
    if (options.network.is_frozen()) {
      SEQ2SEQ_ASSIGN_OR_RETURN(
          features, BuildFeatures(config, files, run.Cache() + "/features", device, images));
      if (features->channels() != options.channels) {
        return absl::InvalidArgumentError(absl::StrCat("model.image.channels: is ",
                                                       options.channels, ", but the features have ",
                                                       features->channels()));
      }
    } else {
      images.DropUnreadable(
          [&](const std::string& path) { return LoadFile(files, path).status(); });
    }
    // After the steps above, which fail if the file is not a network.
    if (!options.network.path.empty()) {
      SEQ2SEQ_ASSIGN_OR_RETURN(const std::string network, ReadFile(options.network.path));
      SEQ2SEQ_RETURN_IF_ERROR(
          PinFile(network, "image network", options.network.path, run.ImageNetwork()));
    }
    Log(LogLevel::kInfo,
        absl::StrCat("data.images: ", images.size(), " images, ", images.dropped(), " left out"));
    std::unique_ptr<ImageData> data(new ImageData(config, std::move(images)));
    data->features_ = std::move(features);
    return data;
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("model.image.network: ", Describe(error)));
  }
}

absl::StatusOr<Array> ImageData::Read(const std::string& name) const {
  const std::optional<int32_t> image = images_.Find(name);
  if (!image) return absl::NotFoundError(absl::StrCat(name, ": not among the images"));
  if (features_) return ToArray(features_->Read({*image})[0]);
  return LoadFile(files_, images_.Path(*image));
}

std::unique_ptr<Source> ImageData::MakeSource() const {
  return std::make_unique<NamedImageSource>(*this, files_);
}

ImageReader ImageData::Reader() const {
  return [this](absl::Span<const int64_t> images, std::optional<uint64_t> seed) {
    if (features_) return features_->Read(images, seed);
    std::vector<Array> arrays;
    for (size_t i = 0; i < images.size(); ++i) {
      std::optional<Augmentation> augmentation;
      if (seed) augmentation = {augment_, DeriveSeed({*seed, i})};
      const auto image = ReadImage(images_.Path(images[i]), options_, augmentation, max_pixels_);
      TORCH_CHECK(image.ok(), std::string(image.status().message()));
      arrays.push_back(*image);
    }
    return Stack(arrays);
  };
}

}  // namespace seq2seq
