#include "seq2seq/weights/safetensors.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <nlohmann/json.hpp>

#include "tests/testing/temporary_folder.h"
#include "tests/weights/array_values.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::pair<const char*, ArrayType> kTypes[] = {
    {"F64", ArrayType::kFloat64},   {"F32", ArrayType::kFloat32}, {"F16", ArrayType::kFloat16},
    {"BF16", ArrayType::kBfloat16}, {"I64", ArrayType::kInt64},   {"I32", ArrayType::kInt32},
    {"I16", ArrayType::kInt16},     {"I8", ArrayType::kInt8},     {"U8", ArrayType::kUint8},
    {"BOOL", ArrayType::kBool},
};

// An array of any bytes, 0 and 1 for bool.
Array SomeArray(ArrayType type, const std::vector<int64_t>& shape) {
  static int next = 0;
  Array array = Array::Empty(type, shape);
  for (size_t i = 0; i < array.bytes(); ++i)
    array.data.get()[i] = static_cast<char>(type == ArrayType::kBool ? i % 2 : 37 * ++next);
  return array;
}

// Every type of number and shapes from a scalar to three dimensions, some without elements.
ArrayMap ManyArrays() {
  ArrayMap arrays;
  for (const auto& [name, type] : kTypes) {
    arrays[absl::StrCat(name, ".scalar")] = SomeArray(type, {});
    arrays[absl::StrCat(name, ".vector")] = SomeArray(type, {3});
    arrays[absl::StrCat(name, ".cube")] = SomeArray(type, {2, 1, 3});
    arrays[absl::StrCat(name, ".none")] = SomeArray(type, {0});
    arrays[absl::StrCat(name, ".flat")] = SomeArray(type, {2, 0, 3});
  }
  return arrays;
}

// Five integers from 0.
Array Counts() { return ArrayOf<int64_t>(ArrayType::kInt64, {5}, {0, 1, 2, 3, 4}); }

std::string BytesOf(const Array& array) { return {array.data.get(), array.bytes()}; }

// A file with this header and 24 bytes behind it.
std::string FileWith(const std::string& header) {
  const uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  return bytes + header + std::string(24, '\1');
}

// The status of ReadArrays for a file with these bytes: DataLoss or nothing, naming the file.
absl::Status ReadStatus(const TemporaryFolder& folder, const std::string& bytes) {
  const std::string path = folder.Write("w.safetensors", bytes);
  const absl::Status status = ReadArrays(path).status();
  if (!status.ok()) {
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  }
  return status;
}

TEST(Weights, ReadGivesBackEveryTypeAndShape) {
  TemporaryFolder folder;
  const ArrayMap written = ManyArrays();
  ASSERT_TRUE(WriteArrays(folder / "w", written).ok());
  const absl::StatusOr<ArrayMap> read = ReadArrays(folder / "w");
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), written.size());
  for (const auto& [name, array] : written) {
    ASSERT_EQ(read->count(name), 1u) << name;
    EXPECT_TRUE(read->at(name).defined()) << name;
    EXPECT_EQ(read->at(name).type, array.type) << name;
    ASSERT_EQ(read->at(name).shape, array.shape) << name;
    EXPECT_EQ(BytesOf(read->at(name)), BytesOf(array)) << name;
  }
}

// A file of an earlier version.
TEST(Weights, FileHasTheseBytes) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteArrays(folder / "w", {{"a", ArrayOf<int8_t>(ArrayType::kInt8, {2}, {-1, 2})},
                                         {"b", Floats({1, 2}, {1, -2})},
                                         {"c", ArrayOf<int64_t>(ArrayType::kInt64, {}, {3})}})
                  .ok());
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"c":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]},)"
      R"("a":{"dtype":"I8","shape":[2],"data_offsets":[16,18]}}      )";
  ASSERT_EQ(header.size(), 200u);
  EXPECT_EQ(folder.Read("w"), std::string("\xC8\0\0\0\0\0\0\0", 8) + header +
                                  std::string("\3\0\0\0\0\0\0\0"
                                              "\0\0\x80\x3F\0\0\0\xC0"
                                              "\xFF\2",
                                              18));
}

TEST(Weights, ArraysWrittenOneByOneAreLoadedAsTheirTurnComes) {
  TemporaryFolder folder;
  const ArrayMap arrays = ManyArrays();
  ArrayMap layouts = arrays;
  for (auto& [name, layout] : layouts) layout.data = nullptr;
  std::map<std::string, int> loads;
  std::weak_ptr<char> last;
  const absl::Status status =
      WriteArraysOneByOne(folder / "one", layouts, [&](const std::string& name) {
        EXPECT_TRUE(last.expired()) << name;
        ++loads[name];
        Array copy = Array::Empty(arrays.at(name).type, arrays.at(name).shape);
        std::memcpy(copy.data.get(), arrays.at(name).data.get(), copy.bytes());
        last = copy.data;
        return copy;
      });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(loads.size(), arrays.size());
  for (const auto& [name, count] : loads) EXPECT_EQ(count, 1) << name;
  ASSERT_TRUE(WriteArrays(folder / "all", arrays).ok());
  EXPECT_EQ(folder.Read("one"), folder.Read("all"));
}

TEST(Weights, NoTensorsAreAFileToo) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteArrays(folder / "w", {}).ok());
  const absl::StatusOr<ArrayMap> read = ReadArrays(folder / "w");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(*read, IsEmpty());
}

TEST(Weights, FileIsLaidOutAsTheFormatSays) {
  TemporaryFolder folder;
  const ArrayMap arrays = ManyArrays();
  ASSERT_TRUE(WriteArrays(folder / "w", arrays).ok());
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
  ASSERT_EQ(header.size(), arrays.size());

  std::map<size_t, size_t> ranges;  // The tensors fill the rest of the file without holes.
  for (const auto& [name, entry] : header.items()) {
    EXPECT_EQ(entry.at("dtype"), name.substr(0, name.find('.')));
    const Array& array = arrays.at(name);
    EXPECT_EQ(entry.at("shape").get<std::vector<int64_t>>(), array.shape);
    const size_t begin = entry.at("data_offsets").at(0), end = entry.at("data_offsets").at(1);
    ASSERT_EQ(end - begin, array.bytes());
    ASSERT_LE(data + end, bytes.size());
    EXPECT_EQ((data + begin) % ElementSize(array.type), 0u) << name << " is not aligned";
    if (begin < end) {
      EXPECT_EQ(std::memcmp(bytes.data() + data + begin, array.data.get(), end - begin), 0) << name;
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
  ASSERT_TRUE(WriteArrays(folder / "w", {{"a", Counts()}, {"b", Constant({2}, 0)}}).ok());
  Array kept;
  {
    absl::StatusOr<ArrayMap> read = ReadArrays(folder / "w");
    ASSERT_TRUE(read.ok()) << read.status();
    kept = read->at("a");
  }
  std::filesystem::remove(folder / "w");
  EXPECT_EQ(BytesOf(kept), BytesOf(Counts()));
}

TEST(Weights, FileCutAnywhereIsDataLoss) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteArrays(folder / "w", {{"a", Counts()}, {"b", Constant({2}, 0)}}).ok());
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
  ASSERT_TRUE(WriteArrays(folder / "w", {{"a", Counts()}, {"b", Constant({2}, 0)}}).ok());
  const auto message = [&](const TensorFileLimits& limits) {
    return std::string(ReadArrays(folder / "w", limits).status().message());
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
  ASSERT_TRUE(WriteArrays(folder / "w", {{"a", Counts()}, {"b", Constant({2, 3}, 0)}}).ok());
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

TEST(Weights, UnalignedNumbersAreCopied) {
  TemporaryFolder folder;
  const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[3,7]},)"
                             R"("b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})";
  for (size_t spaces = 0; spaces < 4; ++spaces) {
    const std::string path =
        folder.Write("w.safetensors", FileWith(header + std::string(spaces, ' ')));
    const absl::StatusOr<ArrayMap> read = ReadArrays(path);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(read->at("a").data.get()) % 4, 0u);
    EXPECT_EQ(BytesOf(read->at("a")), "\1\1\1\1");
  }
}

TEST(Weights, ChangesArePrivate) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteArrays(folder / "w", {{"a", Counts()}}).ok());
  const std::string bytes = folder.Read("w");
  const absl::StatusOr<ArrayMap> read = ReadArrays(folder / "w");
  ASSERT_TRUE(read.ok()) << read.status();
  const Array copy = read->at("a");
  copy.values<int64_t>()[0] = 7;
  EXPECT_EQ(read->at("a").values<int64_t>()[0], 7);
  EXPECT_EQ(folder.Read("w"), bytes);
}

TEST(Weights, MissingFileIsNotFoundAndNamed) {
  TemporaryFolder folder;
  const absl::Status status = ReadArrays(folder / "none").status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder / "none"));
}

TEST(Weights, WritingWhereThereIsNoFolderIsAnErrorThatNamesTheFile) {
  TemporaryFolder folder;
  const absl::Status status = WriteArrays(folder / "none/w", {{"a", Constant({1}, 0)}});
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder / "none/w"));
}

TEST(CheckFinite, NamesTheArrayThatIsNot) {
  // Every type of float, and every place in an array, of NaN and infinite numbers of both signs.
  const auto check = [](const Array& array, auto number) {
    using T = decltype(number);
    std::fill_n(array.values<T>(), array.size(), T{});
    for (const int64_t place : {int64_t{0}, array.size() / 2, array.size() - 1}) {
      array.values<T>()[place] = number;
      const absl::Status status = CheckFinite({{"a", Counts()}, {"bad", array}}, "file");
      EXPECT_TRUE(absl::IsDataLoss(status)) << status;
      EXPECT_EQ(status.message(), "file: tensor 'bad' holds NaN or infinite numbers");
      array.values<T>()[place] = T{};
    }
    EXPECT_TRUE(CheckFinite({{"good", array}}, "file").ok());
  };
  for (const double number : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    check(Array::Empty(ArrayType::kFloat64, {3, 7}), number);
    check(Array::Empty(ArrayType::kFloat32, {101}), static_cast<float>(number));
  }
  for (const int number : {0x7C00, 0xFC00, 0x7C01, 0xFFFF})
    check(Array::Empty(ArrayType::kFloat16, {101}), static_cast<uint16_t>(number));
  for (const int number : {0x7F80, 0xFF80, 0x7F81, 0xFFFF})
    check(Array::Empty(ArrayType::kBfloat16, {101}), static_cast<uint16_t>(number));
}

TEST(CheckFinite, LargestNumbersAndIntegersAreFinite) {
  EXPECT_TRUE(
      CheckFinite({{"F64", ArrayOf<uint64_t>(ArrayType::kFloat64, {1}, {0xFFEFFFFFFFFFFFFF})},
                   {"F32", ArrayOf<uint32_t>(ArrayType::kFloat32, {2}, {0x7F7FFFFF, 0xFF7FFFFF})},
                   {"F16", ArrayOf<uint16_t>(ArrayType::kFloat16, {2}, {0x7BFF, 0xFBFF})},
                   {"BF16", ArrayOf<uint16_t>(ArrayType::kBfloat16, {2}, {0x7F7F, 0xFF7F})},
                   {"I32", ArrayOf<int32_t>(ArrayType::kInt32, {2}, {-1, 0x7F800000})},
                   {"none", Constant({0}, 0)}},
                  "file")
          .ok());
}

}  // namespace
}  // namespace seq2seq
