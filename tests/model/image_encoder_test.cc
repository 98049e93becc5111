#include "seq2seq/model/image_encoder.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "tests/testing/onnx_file.h"
#include "tests/testing/script_file.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kSize = 32;

torch::Tensor Images(int64_t count) {
  torch::manual_seed(3);
  return torch::rand({count, 3, kSize, kSize});
}

ImageNetworkOptions Residual(int64_t width, int64_t blocks) {
  ImageNetworkOptions options;
  options.width = width;
  options.blocks = blocks;
  return options;
}

ImageEncoderOptions Options(const ImageNetworkOptions& network, int64_t channels) {
  ImageEncoderOptions options;
  options.input.size = kSize;
  options.network = network;
  options.channels = channels;
  options.hidden = 6;
  return options;
}

// A batch of images or features.
Batch Of(const torch::Tensor& values) {
  Batch batch;
  batch.values = values;
  return batch;
}

class ImageEncoderTest : public ::testing::Test {
 protected:
  const TemporaryFolder folder_;
};

TEST_F(ImageEncoderTest, EveryNetworkGivesPlacesInReadingOrder) {
  const torch::Tensor images = Images(3);
  const torch::Tensor means =
      torch::avg_pool2d(images, {8, 8}).flatten(2).transpose(1, 2);  // [batch, position, 3]
  const ImageNetworkOptions script = {
      .kind = ImageNetworkKind::kTorchscript, .path = WriteScript(folder_), .allow_scripts = true};
  const torch::Tensor scripted = ImageEncoder(Options(script, 4))->Features(images);
  EXPECT_LT(MaxDifference(scripted.narrow(2, 0, 3), means * torch::tensor({1.0f, 2.0f, 3.0f})),
            1e-6);
  const ImageNetworkOptions onnx = {.kind = ImageNetworkKind::kOnnx,
                                    .path = WriteOnnx(folder_, kSize)};
  EXPECT_LT(MaxDifference(ImageEncoder(Options(onnx, 3))->Features(images), means), 1e-6);
  const ImageNetworkOptions residual = Residual(2, 1);
  EXPECT_EQ(ImageEncoder(Options(residual, 16))->Features(images).sizes(),
            (std::vector<int64_t>{3, 4, 16}));
}

TEST_F(ImageEncoderTest, CountsTheChannelsOfEveryNetwork) {
  const ImageNetworkOptions networks[] = {
      {.kind = ImageNetworkKind::kTorchscript, .path = WriteScript(folder_), .allow_scripts = true},
      {.kind = ImageNetworkKind::kOnnx, .path = WriteOnnx(folder_, kSize)},
      Residual(2, 1)};
  const int64_t channels[] = {4, 3, 16};
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(CountChannels(Options(networks[i], 0)), channels[i]);
}

TEST_F(ImageEncoderTest, FeaturesAgreeWithImages) {
  const ImageNetworkOptions script = {
      .kind = ImageNetworkKind::kTorchscript, .path = WriteScript(folder_), .allow_scripts = true};
  ImageEncoder encoder(Options(script, 4));
  encoder->eval();
  const torch::Tensor images = Images(2);
  const Encoded seen = encoder(Of(images));
  const Encoded given = encoder(Of(encoder->Features(images)));
  EXPECT_TRUE(seen.values.equal(given.values));
  EXPECT_EQ(seen.values.sizes(), (std::vector<int64_t>{2, 16, 6}));
  EXPECT_TRUE(seen.Mask().all().item<bool>());
  EXPECT_LT(MaxDifference(seen.final, seen.values.mean(1)), 1e-6);
}

TEST_F(ImageEncoderTest, NeighboursDoNotChangeAnImage) {
  ImageEncoder encoder(Options(Residual(4, 2), 32));
  encoder->eval();
  const torch::Tensor images = Images(3);
  const torch::Tensor together = encoder(Of(images)).values;
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_LT(MaxDifference(encoder(Of(images.narrow(0, i, 1))).values[0], together[i]), 1e-5);
  }
}

TEST_F(ImageEncoderTest, RecurrentPlacesKnowWhatIsBesideThem) {
  ImageNetworkOptions none;
  none.kind = ImageNetworkKind::kFeatures;
  ImageEncoderOptions options = Options(none, 4);
  const torch::Tensor features = torch::rand({2, 5, 4});
  torch::Tensor changed = features.clone();
  changed.select(1, 4) += torch::rand({2, 4});
  for (const bool recurrent : {false, true}) {
    options.recurrent = recurrent;
    ImageEncoder encoder(options);
    encoder->eval();
    const torch::NoGradGuard no_grad;
    const torch::Tensor first = encoder(Of(features)).values;
    EXPECT_EQ(first.sizes(), (std::vector<int64_t>{2, 5, 6}));
    EXPECT_EQ(MaxDifference(encoder(Of(changed)).values.select(1, 0), first.select(1, 0)) > 1e-6,
              recurrent);
    if (!recurrent) continue;
    // As in torch::nn::LSTM.
    torch::nn::LSTM lstm(torch::nn::LSTMOptions(6, 3).bidirectional(true).batch_first(true));
    const TensorMap parameters = Parameters(*encoder);
    for (auto& parameter : lstm->named_parameters()) {
      const std::string& name = parameter.key();  // weight_ih_l0, weight_ih_l0_reverse, …
      const bool reverse = name.find("_reverse") != std::string::npos;
      parameter.value().copy_(
          parameters.at((reverse ? "backward." : "forward.") + name.substr(0, name.find("_l0"))));
    }
    const torch::Tensor normal =
        torch::layer_norm(features, {4}, parameters.at("norm.weight"), parameters.at("norm.bias"));
    const torch::Tensor seen = torch::tanh(torch::linear(normal, parameters.at("projection.weight"),
                                                         parameters.at("projection.bias")));
    EXPECT_LT(MaxDifference(std::get<0>(lstm(seen)), first), 1e-5);
  }
}

TEST_F(ImageEncoderTest, OnlyNetworksThatLearnHaveParametersAndGradients) {
  ImageNetworkOptions script = {
      .kind = ImageNetworkKind::kTorchscript, .path = WriteScript(folder_), .allow_scripts = true};
  const auto gradients = [](const ImageNetworkOptions& network, int64_t channels) {
    ImageEncoder encoder(Options(network, channels));
    encoder->train();
    std::vector<std::string> names;
    for (const auto& [name, gradient] :
         GradientsOf(*encoder, encoder(Of(Images(2))).values.pow(2).sum())) {
      if (name.rfind("network.", 0) == 0) {
        names.push_back(name);
        EXPECT_GT(gradient.abs().sum().item<double>(), 0) << name;
      }
    }
    return names.size();
  };
  EXPECT_EQ(gradients(script, 4), 0);
  script.fine_tune = true;
  EXPECT_EQ(gradients(script, 4), 1);
}

TEST_F(ImageEncoderTest, ResidualNetworkGradientsAgreeWithDifferences) {
  torch::manual_seed(1);
  ImageEncoderOptions options = Options(Residual(2, 1), 16);
  options.dropout = 0;
  ImageEncoder encoder(options);
  encoder->to(torch::kFloat64);
  Randomize(*encoder, 5);
  const torch::Tensor images = Images(2).to(torch::kFloat64);
  const auto objective = [&] { return encoder(Of(images)).values.pow(2).sum(); };
  const TensorMap gradients = GradientsOf(*encoder, objective());
  for (const auto& [name, parameter] : Parameters(*encoder)) {
    const torch::NoGradGuard no_grad;
    torch::Tensor value = parameter.view(-1)[0];
    constexpr double kStep = 1e-5;
    value.add_(kStep);
    const double above = objective().item<double>();
    value.sub_(2 * kStep);
    const double below = objective().item<double>();
    value.add_(kStep);
    EXPECT_NEAR((above - below) / (2 * kStep), gradients.at(name).view(-1)[0].item<double>(), 1e-4)
        << name;
  }
}

TEST_F(ImageEncoderTest, WrongFilesAreErrorsThatNameThem) {
  const std::string wrong = folder_.Write("wrong", "no network");
  for (const ImageNetworkKind kind : {ImageNetworkKind::kTorchscript, ImageNetworkKind::kOnnx}) {
    try {
      ImageEncoder encoder(Options({.kind = kind, .path = wrong, .allow_scripts = true}, 4));
      ADD_FAILURE() << "read a wrong file";
    } catch (const c10::Error& error) {
      EXPECT_THAT(error.what_without_backtrace(), HasSubstr(wrong));
    }
  }
}

TEST_F(ImageEncoderTest, ScriptsRunOnlyWhereTheyAreAllowed) {
  const std::string path = WriteScript(folder_);
  try {
    ImageEncoder encoder(Options({.kind = ImageNetworkKind::kTorchscript, .path = path}, 4));
    ADD_FAILURE() << "ran a script";
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what_without_backtrace(),
                AllOf(HasSubstr(path), HasSubstr("--allow-scripts")));
  }
}

TEST(ValidateImageEncoder, NamesTheKeyAndItsValue) {
  ImageEncoderOptions options;
  EXPECT_TRUE(Validate(options).ok());
  options.network.path = "network.pt";
  EXPECT_THAT(std::string(Validate(options).message()), HasSubstr("model.image.network.path"));
  options.network.kind = ImageNetworkKind::kTorchscript;
  EXPECT_TRUE(Validate(options).ok());
  options.dropout = 1;
  EXPECT_THAT(std::string(Validate(options).message()), HasSubstr("model.image.dropout"));
}

}  // namespace
}  // namespace seq2seq
