#include "seq2seq/inference/image_encoder.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/image/image_library.h"
#include "seq2seq/inference/residual_network.h"
#include "seq2seq/kernels/parallel.h"
#include "seq2seq/model/image_encoder.h"
#include "seq2seq/ops/compute.h"
#include "tests/inference/agreement.h"
#include "tests/testing/onnx_file.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

#if SEQ2SEQ_KERNELS

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// A model of images without dropout.
ModelOptions ImageOptionsOf(const ImageNetworkOptions& network, int64_t channels, bool recurrent) {
  ModelOptions options = TinyOptions();
  options.source = SourceKind::kImage;
  options.image.network = network;
  options.image.channels = channels;
  options.image.hidden = 10;
  options.image.recurrent = recurrent;
  options.image.dropout = 0;
  return options;
}

ModelOptions Residual(int64_t width, int64_t blocks, bool recurrent) {
  ImageNetworkOptions network;
  network.width = width;
  network.blocks = blocks;
  return ImageOptionsOf(network, ResidualChannels(width), recurrent);
}

ModelOptions Features(int64_t channels, bool recurrent) {
  ImageNetworkOptions network;
  network.kind = ImageNetworkKind::kFeatures;
  return ImageOptionsOf(network, channels, recurrent);
}

// Sources of `values`, [batch, …].
class Images {
 public:
  explicit Images(const torch::Tensor& values) {
    for (int64_t i = 0; i < values.size(0); ++i) Add(values[i]);
  }

  void Add(const torch::Tensor& values) {
    inputs_.push_back({.file = "image.png", .values = ToArray(values.contiguous())});
  }

  std::vector<const SourceInput*> sources() const {
    std::vector<const SourceInput*> sources;
    for (const SourceInput& input : inputs_) sources.push_back(&input);
    return sources;
  }

 private:
  std::vector<SourceInput> inputs_;
};

ImageInferenceEncoder EncoderOf(const ModelOptions& options, const Model& model,
                                Precision precision) {
  ModelArrays arrays = ArraysOf(options, model);
  return ImageInferenceEncoder(options.image, arrays.image_encoder, precision);
}

// The largest difference from the encoder output of the module, whose values are up to 1.
double Difference(const ModelOptions& options, const torch::Tensor& values, Precision precision) {
  const torch::NoGradGuard no_grad;
  const ComputeGuard plain({.fused = false});
  Model model = TinyModel(options, torch::kFloat32);
  Batch batch;
  batch.values = values;
  const Encoded expected = model->Encode(batch);
  const EncoderOutput found = EncoderOf(options, model, precision).Encode(Images(values).sources());
  double difference = MaxDifference(TensorOf(found.summary.view()), expected.final);
  EXPECT_EQ(found.batch(), values.size(0));
  for (int64_t i = 0; i < found.batch(); ++i) {
    difference = std::max(difference,
                          MaxDifference(TensorOf(found.Of(i, found.values)), expected.values[i]));
  }
  return difference;
}

const std::vector<std::pair<int64_t, int64_t>> kSizes = {{8, 8}, {17, 33}, {40, 23}, {64, 64}};

TEST(ResidualInferenceNetwork, AgreesWithTheModule) {
  const torch::NoGradGuard no_grad;
  for (const int64_t width : {2, 5, 16, 24}) {
    for (const int64_t blocks : {1, 2}) {
      const ModelOptions options = Residual(width, blocks, /*recurrent=*/false);
      Model model = TinyModel(options, torch::kFloat32);
      ModelArrays arrays = ArraysOf(options, model);
      const ResidualInferenceNetwork network(options.image.network, arrays.image_encoder.network,
                                             Precision::kFp32);
      EXPECT_GT(network.packed_bytes(), 0);
      EXPECT_FALSE(arrays.image_encoder.network.blocks[0].first.defined());  // It was packed.
      for (const auto& [height, columns] : kSizes) {
        const torch::Tensor image = torch::randn({3, height, columns});
        const torch::Tensor expected =
            model->encoder()->as<ImageEncoderImpl>()->Features(image.unsqueeze(0))[0];
        const torch::Tensor found = TensorOf(network.Features(ToArray(image)).view());
        EXPECT_LT(MaxDifference(found, expected), 1e-5 * expected.abs().max().item<double>())
            << width << " wide, " << blocks << " blocks, " << height << " x " << columns;
      }
    }
  }
}

TEST(ImageInferenceEncoder, AgreesWithTheModule) {
  torch::manual_seed(1);
  for (const bool recurrent : {false, true}) {
    EXPECT_LT(Difference(Features(3, recurrent), torch::randn({2, 7, 3}), Precision::kFp32), 1e-5)
        << recurrent;
    EXPECT_LT(Difference(Features(33, recurrent), torch::randn({1, 1, 33}), Precision::kFp32), 1e-5)
        << recurrent;
    for (const auto& [height, width] : kSizes) {
      EXPECT_LT(Difference(Residual(4, 1, recurrent), torch::randn({3, 3, height, width}),
                           Precision::kFp32),
                1e-5)
          << recurrent << ", " << height << " x " << width;
    }
  }
}

class ImageEncoderPrecision : public testing::TestWithParam<Precision> {};

TEST_P(ImageEncoderPrecision, StaysNear) {
  if (!SupportsProducts(GetParam()))
    GTEST_SKIP() << EnumText(GetParam()) << " is not supported on this processor";
  torch::manual_seed(1);
  for (const bool recurrent : {false, true}) {
    const double of_features =
        Difference(Features(32, recurrent), torch::randn({2, 7, 32}), GetParam());
    EXPECT_LT(of_features, 0.05) << recurrent;
    EXPECT_GT(of_features, 1e-4) << recurrent;  // Or it was not used.
    const double of_images =
        Difference(Residual(8, 1, recurrent), torch::randn({2, 3, 33, 40}), GetParam());
    EXPECT_LT(of_images, 0.3) << recurrent;  // Of nine layers.
    EXPECT_GT(of_images, 1e-4) << recurrent;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ImageEncoderPrecision,
                         testing::Values(Precision::kBf16, Precision::kInt8),
                         [](const auto& info) { return EnumText(info.param); });

// Images of different sizes in one batch, on some threads.
TEST(ImageInferenceEncoder, AnImageDependsNeitherOnItsBatchNorOnThreads) {
  const ModelOptions options = Residual(4, 1, /*recurrent=*/true);
  const ImageInferenceEncoder encoder =
      EncoderOf(options, TinyModel(options, torch::kFloat32), Precision::kFp32);
  Images images(torch::randn({2, 3, 50, 70}));
  images.Add(torch::randn({3, 9, 20}));
  SetParallelThreads(3);
  const EncoderOutput together = encoder.Encode(images.sources());
  SetParallelThreads(1);
  for (size_t i = 0; i < 3; ++i) {
    const EncoderOutput alone = encoder.Encode({images.sources()[i]});
    const auto image = static_cast<int64_t>(i);
    EXPECT_TRUE(
        TensorOf(alone.Of(0, alone.values)).equal(TensorOf(together.Of(image, together.values))));
    EXPECT_TRUE(
        TensorOf(alone.summary.view()).equal(TensorOf(together.summary.view().Rows(image, 1))));
  }
  SetParallelThreads(0);
}

TEST(ImageInferenceEncoder, RunsOnnxNetworks) {
  if (!OpenImageLibrary().ok()) GTEST_SKIP() << "built without images";
  const TemporaryFolder folder;
  ImageNetworkOptions network = {.kind = ImageNetworkKind::kOnnx, .path = WriteOnnx(folder, 32)};
  // OpenCV sums in an order of its own, which is not always the same.
  EXPECT_LT(
      Difference(ImageOptionsOf(network, 3, false), torch::rand({3, 3, 32, 32}), Precision::kFp32),
      1e-4);
  network.path = folder.Write("wrong", "no network");
  ResidualNetworkArrays none;
  EXPECT_THAT(([&] { MakeInferenceImageNetwork(network, none, Precision::kFp32); }),
              ThrowsMessage<std::runtime_error>(
                  AllOf(HasSubstr(network.path), HasSubstr("is not an ONNX network"))));
}

TEST(ImageInferenceEncoder, SourcesThatDoNotFitAreErrorsThatNameThem) {
  const ModelOptions options = Features(3, /*recurrent=*/false);
  const ImageInferenceEncoder encoder =
      EncoderOf(options, TinyModel(options, torch::kFloat32), Precision::kFp32);
  const auto encode = [&](std::vector<int64_t> shape) {
    encoder.Encode(Images(torch::rand(shape).unsqueeze(0)).sources());
  };
  EXPECT_THAT(
      [&] {
        encode({5, 4});
      },
      ThrowsMessage<std::invalid_argument>(
          AllOf(HasSubstr("image.png"), HasSubstr("[5, 4]"), HasSubstr("3 channels"))));
  EXPECT_THAT(
      [&] {
        encode({0, 3});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("at least one position")));
  EXPECT_THAT(
      [&] {
        encode({3, 8, 8});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("takes features, not images")));
}

#endif  // SEQ2SEQ_KERNELS

}  // namespace
}  // namespace seq2seq
