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

#include "seq2seq/image/feature_file.h"
#include "seq2seq/weights/safetensors.h"
#include "tests/model/script_file.h"
#include "tests/temporary_folder.h"
#include "tests/tiny_model.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kSize = 32;

// Protocol buffers by hand: a number, and bytes.
std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value /= 128) bytes += static_cast<char>(value % 128 + 128);
  return bytes + static_cast<char>(value);
}
std::string Number(int field, uint64_t value) {
  return Varint(static_cast<uint64_t>(field) * 8) + Varint(value);
}
std::string Bytes(int field, const std::string& bytes) {
  return Varint(static_cast<uint64_t>(field) * 8 + 2) + Varint(bytes.size()) + bytes;
}

// An ONNX network of one node, the means of blocks of eight pixels.
std::string WriteOnnx(const TemporaryFolder& folder) {
  const auto ints = [](const std::string& name, int a, int b) {
    return Bytes(5, Bytes(1, name) + Number(8, static_cast<uint64_t>(a)) +
                        Number(8, static_cast<uint64_t>(b)) + Number(20, 7));
  };
  const auto value = [](const std::string& name, const std::vector<uint64_t>& shape) {
    std::string sizes;
    for (const uint64_t size : shape) sizes += Bytes(1, Number(1, size));
    return Bytes(1, name) + Bytes(2, Bytes(1, Number(1, 1) + Bytes(2, sizes)));
  };
  const std::string node = Bytes(1, "images") + Bytes(2, "features") + Bytes(3, "pool") +
                           Bytes(4, "AveragePool") + ints("kernel_shape", 8, 8) +
                           ints("strides", 8, 8);
  const std::string graph = Bytes(1, node) + Bytes(2, "graph") +
                            Bytes(11, value("images", {1, 3, kSize, kSize})) +
                            Bytes(12, value("features", {1, 3, kSize / 8, kSize / 8}));
  return folder.Write("network.onnx",
                      Number(1, 7) + Bytes(7, graph) + Bytes(8, Bytes(1, "") + Number(2, 9)));
}

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
  const ImageNetworkOptions onnx = {.kind = ImageNetworkKind::kOnnx, .path = WriteOnnx(folder_)};
  EXPECT_LT(MaxDifference(ImageEncoder(Options(onnx, 3))->Features(images), means), 1e-6);
  const ImageNetworkOptions residual = Residual(2, 1);
  EXPECT_EQ(ImageEncoder(Options(residual, 16))->Features(images).sizes(),
            (std::vector<int64_t>{3, 4, 16}));
}

TEST_F(ImageEncoderTest, CountsTheChannelsOfEveryNetwork) {
  const ImageNetworkOptions networks[] = {
      {.kind = ImageNetworkKind::kTorchscript, .path = WriteScript(folder_), .allow_scripts = true},
      {.kind = ImageNetworkKind::kOnnx, .path = WriteOnnx(folder_)},
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
  const Encoded seen = encoder(images);
  const Encoded given = encoder(encoder->Features(images));
  EXPECT_TRUE(seen.values.equal(given.values));
  EXPECT_EQ(seen.values.sizes(), (std::vector<int64_t>{2, 16, 6}));
  EXPECT_TRUE(seen.mask.all().item<bool>());
  EXPECT_LT(MaxDifference(seen.final, seen.values.mean(1)), 1e-6);
}

TEST_F(ImageEncoderTest, NeighboursDoNotChangeAnImage) {
  ImageEncoder encoder(Options(Residual(4, 2), 32));
  encoder->eval();
  const torch::Tensor images = Images(3);
  const torch::Tensor together = encoder(images).values;
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_LT(MaxDifference(encoder(images.narrow(0, i, 1)).values[0], together[i]), 1e-5);
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
    const torch::Tensor first = encoder(features).values;
    EXPECT_EQ(first.sizes(), (std::vector<int64_t>{2, 5, 6}));
    EXPECT_EQ(MaxDifference(encoder(changed).values.select(1, 0), first.select(1, 0)) > 1e-6,
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
         GradientsOf(*encoder, encoder(Images(2)).values.pow(2).sum())) {
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
  const auto objective = [&] { return encoder(images).values.pow(2).sum(); };
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

// The bytes of a .npy file.
std::string Npy(const std::string& header, const torch::Tensor& values) {
  std::string text = header;
  while ((text.size() + 11) % 64 != 0) text += ' ';
  text += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(text.size() % 256);
  bytes += static_cast<char>(text.size() / 256);
  return bytes + text + std::string(static_cast<const char*>(values.data_ptr()), values.nbytes());
}

TEST(FeatureFile, ReadsPlacesAndGridsOfAllPrecisions) {
  const TemporaryFolder folder;
  const torch::Tensor values = torch::arange(12).to(torch::kFloat32);
  const std::pair<const char*, torch::ScalarType> types[] = {
      {"<f2", torch::kHalf}, {"<f4", torch::kFloat32}, {"<f8", torch::kFloat64}};
  for (const auto& [type, scalar] : types) {
    const std::string start = std::string("{'descr': '") + type + "', 'fortran_order': False, ";
    const auto positions =
        ReadFeatures(folder.Write("a.npy", Npy(start + "'shape': (3, 4), }", values.to(scalar))));
    ASSERT_TRUE(positions.ok()) << positions.status();
    EXPECT_TRUE(positions->equal(values.view({3, 4})));
    const auto grid = ReadFeatures(
        folder.Write("b.npy", Npy(start + "'shape': (2, 3, 2), }", values.to(scalar))));
    ASSERT_TRUE(grid.ok()) << grid.status();
    EXPECT_TRUE(grid->equal(values.view({2, 6}).t()));
  }
  ASSERT_TRUE(WriteTensors(folder / "c.safetensors", {{"x", values.view({6, 2})}}).ok());
  const auto tensors = ReadFeatures(folder / "c.safetensors");
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  EXPECT_TRUE(tensors->equal(values.view({6, 2})));
}

// The same of version 2, whose headers may have 4 GB.
std::string WideNpy(const std::string& header, const torch::Tensor& values) {
  const auto length = static_cast<uint32_t>(header.size());
  return std::string("\x93NUMPY\x02\x00", 8) +
         std::string(reinterpret_cast<const char*>(&length), sizeof length) + header +
         std::string(static_cast<const char*>(values.data_ptr()), values.nbytes());
}

TEST(FeatureFile, LongHeadersAreRefused) {
  const TemporaryFolder folder;
  const torch::Tensor values = torch::arange(12).to(torch::kFloat32);
  const auto read = [&](size_t spaces) {
    return ReadFeatures(
        folder.Write("x.npy", WideNpy("{'descr': '<f4', 'fortran_order': False, 'shape':" +
                                          std::string(spaces, ' ') + "(3, 4), }",
                                      values)));
  };
  const auto good = read(1000);
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_TRUE(good->equal(values.view({3, 4})));
  EXPECT_EQ(read(300'000).status().message(),
            (folder / "x.npy") + ": has a header of 300058 bytes; at most 10000 are read");
}

TEST(FeatureFile, NumbersAreBoundedAndFinite) {
  const TemporaryFolder folder;
  const std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }";
  const torch::Tensor values = torch::zeros({12}, torch::kFloat64);
  const std::string path = folder.Write("x.npy", Npy(header, values));
  ASSERT_TRUE(WriteTensors(folder / "x.safetensors", {{"x", values.view({3, 4})}}).ok());
  for (const std::string& file : {path, folder / "x.safetensors"}) {
    EXPECT_TRUE(ReadFeatures(file, 12).ok());
    EXPECT_THAT(std::string(ReadFeatures(file, 11).status().message()),
                AllOf(HasSubstr(file), HasSubstr("at most 11 numbers")));
  }
  for (const double number : {std::nan(""), -HUGE_VAL, 1e300}) {
    values[5] = number;
    folder.Write("x.npy", Npy(header, values));
    EXPECT_EQ(ReadFeatures(path).status().message(), path + ": holds NaN or infinite numbers");
  }
}

TEST(FeatureFile, DamagedFilesAreErrorsThatNameThem) {
  const TemporaryFolder folder;
  const torch::Tensor values = torch::zeros({12});
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }";
  const std::string whole = Npy(good, values);
  const std::string damaged[] = {
      "",
      "no array",
      whole.substr(0, 40),
      whole.substr(0, whole.size() - 1),
      Npy("{'descr': '<i4', 'fortran_order': False, 'shape': (3, 4), }", values),
      Npy("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 4), }", values),
      Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (12,), }", values),
      Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999), }", values),
  };
  for (const std::string& bytes : damaged) {
    const auto features = ReadFeatures(folder.Write("x.npy", bytes));
    EXPECT_TRUE(absl::IsInvalidArgument(features.status())) << features.status();
    EXPECT_THAT(std::string(features.status().message()), HasSubstr(folder / "x.npy"));
  }
}

}  // namespace
}  // namespace seq2seq
