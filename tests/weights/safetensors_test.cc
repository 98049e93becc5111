#include "seq2seq/weights/safetensors.h"

#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <nlohmann/json.hpp>
#include <torch/torch.h>

#include "tests/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Every type of number and shapes from a scalar to three dimensions, some without elements.
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

// A file with this header and 24 bytes behind it.
std::string FileWith(const std::string& header) {
  const uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  return bytes + header + std::string(24, '\1');
}

// The status of ReadTensors for a file with these bytes: DataLoss or nothing, naming the file.
absl::Status ReadStatus(const TemporaryFolder& folder, const std::string& bytes) {
  const std::string path = folder.Write("w.safetensors", bytes);
  const absl::Status status = ReadTensors(path).status();
  if (!status.ok()) {
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  }
  return status;
}

TEST(Weights, ReadGivesBackEveryTypeAndShape) {
  TemporaryFolder folder;
  const TensorMap written = ManyTensors();
  ASSERT_TRUE(WriteTensors(folder / "w", written).ok());
  const absl::StatusOr<TensorMap> read = ReadTensors(folder / "w");
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), written.size());
  for (const auto& [name, tensor] : written) {
    ASSERT_EQ(read->count(name), 1u) << name;
    EXPECT_EQ(read->at(name).scalar_type(), tensor.scalar_type()) << name;
    ASSERT_EQ(read->at(name).sizes(), tensor.sizes()) << name;
    EXPECT_TRUE(torch::equal(read->at(name), tensor)) << name;
  }
}

TEST(Weights, NoTensorsAreAFileToo) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteTensors(folder / "w", {}).ok());
  const absl::StatusOr<TensorMap> read = ReadTensors(folder / "w");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(*read, IsEmpty());
}

TEST(Weights, FileIsLaidOutAsTheFormatSays) {
  TemporaryFolder folder;
  const TensorMap tensors = ManyTensors();
  ASSERT_TRUE(WriteTensors(folder / "w", tensors).ok());
  const std::string bytes = folder.Read("w");
  uint64_t length = 0;
  for (size_t i = 0; i < 8; ++i)
    length |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  EXPECT_EQ(bytes[8], '{');
  const size_t data = 8 + length;
  EXPECT_EQ(data % 8, 0u);
  nlohmann::json header = nlohmann::json::parse(bytes.substr(8, length));
  EXPECT_EQ(header.at("__metadata__").at("format"), "pt");
  header.erase("__metadata__");
  ASSERT_EQ(header.size(), tensors.size());

  std::map<size_t, size_t> ranges;  // The tensors fill the rest of the file without holes.
  for (const auto& [name, entry] : header.items()) {
    EXPECT_EQ(entry.at("dtype"), name.substr(0, name.find('.')));
    const torch::Tensor& tensor = tensors.at(name);
    EXPECT_EQ(entry.at("shape").get<std::vector<int64_t>>(), tensor.sizes().vec());
    const size_t begin = entry.at("data_offsets").at(0), end = entry.at("data_offsets").at(1);
    ASSERT_EQ(end - begin, tensor.nbytes());
    ASSERT_LE(data + end, bytes.size());
    const torch::Tensor plain = tensor.contiguous();  // Row after row.
    EXPECT_EQ((data + begin) % tensor.element_size(), 0u) << name << " is not aligned";
    if (begin < end) {
      EXPECT_EQ(std::memcmp(bytes.data() + data + begin, plain.data_ptr(), end - begin), 0) << name;
      EXPECT_TRUE(ranges.emplace(begin, end).second) << name;
    }
  }
  size_t next = 0;
  for (const auto& [begin, end] : ranges) {
    EXPECT_EQ(begin, next);
    next = end;
  }
  EXPECT_EQ(data + next, bytes.size());
}

TEST(Weights, TensorsOutliveTheFile) {
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

TEST(Weights, FileCutAnywhereIsDataLoss) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteTensors(folder / "w", {{"a", torch::arange(5)}, {"b", torch::zeros({2})}}).ok());
  const std::string bytes = folder.Read("w");
  ASSERT_TRUE(ReadStatus(folder, bytes).ok());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ReadStatus(folder, bytes.substr(0, size)).ok())
        << "the first " << size << " bytes";
  }
}

TEST(Weights, GarbageIsDataLoss) {
  TemporaryFolder folder;
  EXPECT_FALSE(ReadStatus(folder, "").ok());
  EXPECT_FALSE(ReadStatus(folder, std::string(1000, '\0')).ok());
  EXPECT_FALSE(ReadStatus(folder, std::string(1000, '\xff')).ok());
  EXPECT_FALSE(ReadStatus(folder, "PK\3\4 a zip archive, as torch.save writes it").ok());
  EXPECT_FALSE(ReadStatus(folder, FileWith("not JSON")).ok());
}

TEST(Weights, WrongHeaderIsDataLoss) {
  TemporaryFolder folder;
  ASSERT_TRUE(
      ReadStatus(folder, FileWith(R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})"))
          .ok());
  const std::string entries[] = {
      R"({"dtype":"F32","shape":[2,3],"data_offsets":[0,28]})",  // Beyond the end.
      R"({"dtype":"F32","shape":[2,3],"data_offsets":[4,28]})",
      R"({"dtype":"F32","shape":[2,3],"data_offsets":[24,0]})",  // Backwards.
      R"({"dtype":"F32","shape":[2,3],"data_offsets":[-24,0]})",
      R"({"dtype":"F32","shape":[2,3],"data_offsets":[0,20]})",  // Not of this size.
      R"({"dtype":"F32","shape":[2,2],"data_offsets":[0,24]})",
      R"({"dtype":"F64","shape":[2,3],"data_offsets":[0,24]})",
      R"({"dtype":"F32","shape":[],"data_offsets":[0,24]})",
      R"({"dtype":"F32","shape":[6],"data_offsets":[0,23]})",
      R"({"dtype":"F32","shape":[2,3],"data_offsets":[0,0]})",
      R"({"dtype":"F32","shape":[0],"data_offsets":[0,24]})",
      R"({"dtype":"F32","shape":[-2,-3],"data_offsets":[0,24]})",  // No such sizes.
      R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]})",
      R"({"dtype":"F32","shape":[4611686018427387905,4,6],"data_offsets":[0,24]})",
      R"({"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]})",
      R"({"dtype":"U8","shape":[24,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,24]})",
      R"({"dtype":"F32","shape":[2,3],"data_offsets":[0]})",  // Of another form.
      R"({"dtype":"F32","shape":[2,3],"data_offsets":[0,24,24]})",
      R"({"dtype":"F32","shape":[2,3],"data_offsets":"0-24"})",
      R"({"dtype":"F32","shape":6,"data_offsets":[0,24]})",
      R"({"dtype":"F32","shape":["2","3"],"data_offsets":[0,24]})",
      R"({"dtype":"F31","shape":[2,3],"data_offsets":[0,24]})",
      R"({"dtype":32,"shape":[2,3],"data_offsets":[0,24]})",
      R"({"shape":[2,3],"data_offsets":[0,24]})",
      R"({"dtype":"F32","data_offsets":[0,24]})",
      R"({"dtype":"F32","shape":[2,3]})",
      R"([])",
      R"("F32")",
      R"(null)",
  };
  for (const std::string& entry : entries) {
    EXPECT_FALSE(ReadStatus(folder, FileWith("{\"a\":" + entry + "}")).ok()) << entry;
  }
  for (const char* header : {"[]", "[1]", "null", "7", "\"a\"", "true", "{", "{}{}"}) {
    EXPECT_FALSE(ReadStatus(folder, FileWith(header)).ok()) << header;
  }
}

TEST(Weights, DeepHeadersAreRefused) {
  TemporaryFolder folder;
  for (const int depth : {4, 1'000'000}) {
    const std::string lists(static_cast<size_t>(depth), '[');
    const absl::Status status = ReadStatus(folder, FileWith("{\"a\":" + lists));
    EXPECT_THAT(std::string(status.message()), HasSubstr("more than 3 levels of nesting"));
    EXPECT_FALSE(
        ReadStatus(folder, FileWith("{\"a\":" + lists + std::string(lists.size(), ']') + "}"))
            .ok());
  }
}

TEST(Weights, HeadersAndTensorsAreBounded) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteTensors(folder / "w", {{"a", torch::arange(5)}, {"b", torch::zeros({2})}}).ok());
  const auto message = [&](const TensorFileLimits& limits) {
    return std::string(ReadTensors(folder / "w", limits).status().message());
  };
  EXPECT_EQ(message({.tensors = 3}), "");  // __metadata__ counts.
  EXPECT_THAT(message({.tensors = 2}), AllOf(HasSubstr(folder / "w"), HasSubstr("has 3 tensors")));
  EXPECT_THAT(message({.header_bytes = 100}),
              AllOf(HasSubstr(folder / "w"), HasSubstr("at most 100")));
}

TEST(Weights, BytesAreOfOneTensorAlone) {
  TemporaryFolder folder;
  const auto with = [&](const std::string& range) {
    return ReadStatus(folder, FileWith(R"({"a":{"dtype":"U8","shape":[12],"data_offsets":[0,12]},)"
                                       R"("b":{"dtype":"U8","shape":[12],"data_offsets":)" +
                                       range + "}}"));
  };
  EXPECT_TRUE(with("[12,24]").ok());
  for (const char* range : {"[0,12]", "[11,23]"})
    EXPECT_THAT(std::string(with(range).message()), HasSubstr("overlap")) << range;
}

TEST(Weights, NoChangedByteOfTheHeaderThrows) {
  TemporaryFolder folder;
  ASSERT_TRUE(
      WriteTensors(folder / "w", {{"a", torch::arange(5)}, {"b", torch::zeros({2, 3})}}).ok());
  const std::string bytes = folder.Read("w");
  const size_t header = bytes.size() - 5 * 8 - 6 * 4;
  int refused = 0;
  for (size_t place = 0; place < header; ++place) {
    for (const char value : {'9', '}', '\xff'}) {
      std::string changed = bytes;
      changed[place] = value;
      refused += ReadStatus(folder, changed).ok() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, static_cast<int>(header));
}

TEST(Weights, DamagedTensorIsNamed) {
  TemporaryFolder folder;
  const absl::Status status = ReadStatus(
      folder, FileWith(R"({"encoder.b":{"dtype":"F32","shape":[7],"data_offsets":[0,28]}})"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("'encoder.b'"));
}

TEST(Weights, MissingFileIsNotFoundAndNamed) {
  TemporaryFolder folder;
  const absl::Status status = ReadTensors(folder / "none").status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder / "none"));
}

TEST(Weights, WritingWhereThereIsNoFolderIsAnErrorThatNamesTheFile) {
  TemporaryFolder folder;
  const absl::Status status = WriteTensors(folder / "none/w", {{"a", torch::zeros({1})}});
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder / "none/w"));
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

}  // namespace
}  // namespace seq2seq
