#include "seq2seq/model/parameters.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/weights/quantized_weights.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Every type of number and shapes from a scalar to three dimensions, some without elements and one
// not contiguous.
TensorMap ManyTensors() {
  const std::pair<const char*, torch::ScalarType> types[] = {
      {"F64", torch::kFloat64},   {"F32", torch::kFloat32}, {"F16", torch::kFloat16},
      {"BF16", torch::kBFloat16}, {"I64", torch::kInt64},   {"I32", torch::kInt32},
      {"I16", torch::kInt16},     {"I8", torch::kInt8},     {"U8", torch::kUInt8},
      {"BOOL", torch::kBool},
  };
  torch::manual_seed(1);
  TensorMap tensors;
  for (const auto& [name, type] : types) {
    tensors[absl::StrCat(name, ".scalar")] = torch::ones({}).to(type);
    tensors[absl::StrCat(name, ".vector")] = torch::randint(0, 100, {3}).to(type);
    tensors[absl::StrCat(name, ".cube")] = torch::randint(0, 100, {2, 1, 3}).to(type);
    tensors[absl::StrCat(name, ".none")] = torch::empty({0}, type);
    tensors[absl::StrCat(name, ".flat")] = torch::empty({2, 0, 3}, type);
    tensors[absl::StrCat(name, ".turned")] = torch::randint(0, 100, {2, 3}).to(type).t();
  }
  return tensors;
}

void ExpectEqual(const TensorMap& found, const TensorMap& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_EQ(found.count(name), 1u) << name;
    EXPECT_EQ(found.at(name).scalar_type(), tensor.scalar_type()) << name;
    ASSERT_EQ(found.at(name).sizes(), tensor.sizes()) << name;
    EXPECT_TRUE(torch::equal(found.at(name), tensor)) << name;
  }
}

TEST(Tensors, AreTheSameAsArraysAndBack) {
  const TensorMap tensors = ManyTensors();
  ExpectEqual(ToTensors(ToArrays(tensors)), tensors);
}

TEST(Tensors, AreTheSameFromAFile) {
  TemporaryFolder folder;
  const TensorMap written = ManyTensors();
  ASSERT_TRUE(WriteTensors(folder / "w", written).ok());
  const absl::StatusOr<TensorMap> read = ReadTensors(folder / "w");
  ASSERT_TRUE(read.ok()) << read.status();
  ExpectEqual(*read, written);
  ASSERT_TRUE(WriteArrays(folder / "arrays", ToArrays(written)).ok());
  EXPECT_EQ(folder.Read("arrays"), folder.Read("w"));
}

TEST(Tensors, OutliveTheFile) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteTensors(folder / "w", {{"a", torch::arange(5)}, {"b", torch::zeros({2})}}).ok());
  torch::Tensor kept;
  {
    absl::StatusOr<TensorMap> read = ReadTensors(folder / "w");
    ASSERT_TRUE(read.ok()) << read.status();
    kept = read->at("a");
  }
  std::filesystem::remove(folder / "w");
  EXPECT_TRUE(torch::equal(kept, torch::arange(5)));
}

TEST(Tensors, LimitsOfFilesApply) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteTensors(folder / "w", {{"a", torch::arange(5)}, {"b", torch::zeros({2})}}).ok());
  EXPECT_TRUE(ReadTensors(folder / "w", {.tensors = 3}).ok());
  EXPECT_THAT(std::string(ReadTensors(folder / "w", {.tensors = 2}).status().message()),
              AllOf(HasSubstr(folder / "w"), HasSubstr("has 3 tensors")));
}

TEST(ToArray, SharesTheBytesOfContiguousTensorsAndKeepsThemAlive) {
  torch::Tensor tensor = torch::arange(6, torch::kFloat32).view({2, 3}).requires_grad_();
  const Array array = ToArray(tensor);
  EXPECT_EQ(array.data.get(), static_cast<char*>(tensor.data_ptr()));
  EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 3}));
  array.values<float>()[5] = 7;
  EXPECT_EQ(tensor[1][2].item<float>(), 7);
  tensor = torch::Tensor();
  EXPECT_EQ(array.values<float>()[5], 7);
}

TEST(ToArray, CopiesTensorsThatAreNotContiguous) {
  const torch::Tensor tensor = torch::arange(6, torch::kFloat32).view({2, 3}).t();
  const Array array = ToArray(tensor);
  EXPECT_EQ(array.shape, (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(array.values<float>()[1], 3);
  array.values<float>()[1] = 7;
  EXPECT_EQ(tensor[0][1].item<float>(), 3);
}

TEST(ToTensors, SharesTheBytesOfArraysThereAndBack) {
  Array array = Array::Empty(ArrayType::kInt32, {2, 3});
  const std::weak_ptr<char> bytes = array.data;
  torch::Tensor tensor = ToTensors({{"a", array}}).at("a");
  EXPECT_EQ(tensor.data_ptr(), array.data.get());
  Array again = ToArray(tensor);
  EXPECT_EQ(again.data.get(), array.data.get());
  array = Array();
  tensor = torch::Tensor();
  EXPECT_FALSE(bytes.expired());
  again = Array();
  EXPECT_TRUE(bytes.expired());
}

TEST(ToTensors, ArraysWithoutElementsStayDefined) {
  const Array array = ToArray(torch::empty({0, 3}));
  EXPECT_TRUE(array.defined());
  EXPECT_EQ(ToTensors({{"a", array}}).at("a").sizes(), torch::IntArrayRef({0, 3}));
}

// Quantisation on plain arrays and with LibTorch, bit for bit.
TEST(QuantizedWeights, AgreesWithLibTorch) {
  torch::manual_seed(1);
  for (const float magnitude : {1e-38f, 1e-3f, 1.0f, 1e37f}) {
    const torch::Tensor weight = torch::randn({7, 1003}) * magnitude;
    weight[2].zero_();
    const TensorMap integers =
        ToTensors(QuantizeWeights(ToArrays({{"w", weight}}), Precision::kInt8));
    const torch::Tensor largest = weight.abs().amax(1);
    const torch::Tensor scales =
        torch::where(largest > 0, largest / 127, torch::ones_like(largest));
    EXPECT_TRUE(torch::equal(integers.at("w.scales"), scales));
    EXPECT_TRUE(
        torch::equal(integers.at("w"), (weight / scales.unsqueeze(1)).round().to(torch::kInt8)));
    const auto restored = DequantizeWeights(ToArrays(integers), "file");
    ASSERT_TRUE(restored.ok()) << restored.status();
    EXPECT_TRUE(torch::equal(ToTensors(*restored).at("w"),
                             integers.at("w").to(torch::kFloat32) * scales.unsqueeze(1)));
    const TensorMap rounded =
        ToTensors(QuantizeWeights(ToArrays({{"w", weight}}), Precision::kBf16));
    EXPECT_TRUE(torch::equal(rounded.at("w"), weight.to(torch::kBFloat16)));
  }
}

TEST(Parameters, ShareMemoryWithTheModule) {
  torch::nn::Linear linear(2, 3);
  const TensorMap parameters = Parameters(*linear);
  ASSERT_EQ(parameters.size(), 2u);
  EXPECT_EQ(parameters.at("weight").data_ptr(), linear->weight.data_ptr());
  EXPECT_EQ(parameters.at("bias").data_ptr(), linear->bias.data_ptr());
}

TEST(AssignTensors, CopiesByNameIntoTheMemoryThatIsThere) {
  const TensorMap from = {{"a", torch::rand({2, 3})}, {"b", torch::rand({})}};
  const TensorMap to = {{"a", torch::zeros({2, 3}).requires_grad_()}, {"b", torch::zeros({})}};
  const void* memory = to.at("a").data_ptr();
  ASSERT_TRUE(AssignTensors(from, "file", to).ok());
  EXPECT_TRUE(torch::equal(to.at("a"), from.at("a")));
  EXPECT_TRUE(torch::equal(to.at("b"), from.at("b")));
  EXPECT_EQ(to.at("a").data_ptr(), memory);
}

TEST(AssignTensors, WhatDoesNotFitIsNamedAndNothingIsCopied) {
  const torch::Tensor a = torch::ones({2, 3}), b = torch::ones({4});
  const std::pair<TensorMap, std::string> mistakes[] = {
      {{{"a", a}}, "'b'"},                                  // Missing.
      {{{"a", a}, {"b", b}, {"c", b}}, "'c'"},              // Left over.
      {{{"a", a}, {"b", torch::ones({5})}}, "'b' is [5]"},  // Of other shapes.
      {{{"a", a}, {"b", torch::ones({1, 4})}}, "'b' is [1, 4]"},
      {{{"a", torch::ones({3, 2})}, {"b", b}}, "'a' is [3, 2]"},
      {{{"a", a}, {"b", torch::ones({})}}, "'b' is []"},
  };
  for (const auto& [from, message] : mistakes) {
    const TensorMap to = {{"a", torch::zeros({2, 3})}, {"b", torch::zeros({4})}};
    const absl::Status status = AssignTensors(from, "run/w.safetensors", to);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("run/w.safetensors"), HasSubstr(message)));
    for (const auto& [name, tensor] : to)
      EXPECT_EQ(tensor.abs().sum().item<double>(), 0) << message;
  }
}

TEST(AdoptTensors, ParametersTakeOverTheBytes) {
  torch::nn::Linear linear(2, 3);
  const TensorMap from = {{"weight", torch::rand({3, 2})}, {"bias", torch::rand({3})}};
  ASSERT_TRUE(AdoptTensors(from, "file", Parameters(*linear)).ok());
  EXPECT_EQ(linear->weight.data_ptr(), from.at("weight").data_ptr());
  EXPECT_EQ(linear->bias.data_ptr(), from.at("bias").data_ptr());
  EXPECT_TRUE(linear->weight.requires_grad());
}

TEST(AdoptTensors, WhatDoesNotFitIsNamedAndNothingIsTaken) {
  torch::nn::Linear linear(2, 3);
  const void* memory = linear->weight.data_ptr();
  const absl::Status status =
      AdoptTensors({{"weight", torch::rand({3, 2})}, {"bias", torch::rand({2})}},
                   "run/w.safetensors", Parameters(*linear));
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("run/w.safetensors"), HasSubstr("'bias' is [2]")));
  EXPECT_EQ(linear->weight.data_ptr(), memory);
}

}  // namespace
}  // namespace seq2seq
