#include "seq2seq/image/feature_file.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

template <typename T>
std::string Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// The bytes of a .npy file.
std::string Npy(const std::string& header, const std::string& values) {
  std::string text = header;
  while ((text.size() + 11) % 64 != 0) text += ' ';
  text += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(text.size() % 256);
  bytes += static_cast<char>(text.size() / 256);
  return bytes + text + values;
}

// The same of version 2, whose headers may have 4 GB.
std::string WideNpy(const std::string& header, const std::string& values) {
  return std::string("\x93NUMPY\x02\x00", 8) +
         Bytes(std::vector<uint32_t>{static_cast<uint32_t>(header.size())}) + header + values;
}

// A .safetensors file of one tensor.
std::string Safetensors(const std::string& type, const std::string& shape,
                        const std::string& values) {
  const std::string header = absl::StrCat("{\"x\":{\"dtype\":\"", type, "\",\"shape\":", shape,
                                          ",\"data_offsets\":[0,", values.size(), "]}}");
  return Bytes(std::vector<uint64_t>{header.size()}) + header + values;
}

std::vector<float> Values(const Array& array) {
  return {array.values<float>(), array.values<float>() + array.size()};
}

const std::vector<float> kFloats = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
const std::vector<double> kDoubles(kFloats.begin(), kFloats.end());
const std::vector<uint16_t> kHalves = {0,      0x3c00, 0x4000, 0x4200, 0x4400, 0x4500,
                                       0x4600, 0x4700, 0x4800, 0x4880, 0x4900, 0x4980};

TEST(FeatureFile, ReadsPositionsAndGridsOfAllPrecisions) {
  const TemporaryFolder folder;
  const std::pair<const char*, std::string> types[] = {
      {"<f2", Bytes(kHalves)}, {"<f4", Bytes(kFloats)}, {"<f8", Bytes(kDoubles)}};
  for (const auto& [type, bytes] : types) {
    const std::string start = std::string("{'descr': '") + type + "', 'fortran_order': False, ";
    const auto positions =
        ReadFeatures(folder.Write("a.npy", Npy(start + "'shape': (3, 4), }", bytes)));
    ASSERT_TRUE(positions.ok()) << positions.status();
    EXPECT_EQ(positions->type, ArrayType::kFloat32);
    EXPECT_THAT(positions->shape, ElementsAre(3, 4));
    EXPECT_EQ(Values(*positions), kFloats);
    const auto grid =
        ReadFeatures(folder.Write("b.npy", Npy(start + "'shape': (2, 3, 2), }", bytes)));
    ASSERT_TRUE(grid.ok()) << grid.status();
    EXPECT_THAT(grid->shape, ElementsAre(6, 2));
    EXPECT_THAT(Values(*grid), ElementsAre(0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11));
  }
}

TEST(FeatureFile, ReadsTheOneTensorOfASafetensorsFile) {
  const TemporaryFolder folder;
  const auto features =
      ReadFeatures(folder.Write("c.safetensors", Safetensors("F32", "[6,2]", Bytes(kFloats))));
  ASSERT_TRUE(features.ok()) << features.status();
  EXPECT_THAT(features->shape, ElementsAre(6, 2));
  EXPECT_EQ(Values(*features), kFloats);
  const std::string none = folder.Write("none.safetensors", Bytes(std::vector<uint64_t>{2}) + "{}");
  EXPECT_EQ(ReadFeatures(none).status().message(), none + ": holds 0 tensors instead of one");
}

TEST(FeatureFile, LongHeadersAreRefused) {
  const TemporaryFolder folder;
  const auto read = [&](size_t spaces) {
    return ReadFeatures(
        folder.Write("x.npy", WideNpy("{'descr': '<f4', 'fortran_order': False, 'shape':" +
                                          std::string(spaces, ' ') + "(3, 4), }",
                                      Bytes(kFloats))));
  };
  const auto good = read(1000);
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_THAT(good->shape, ElementsAre(3, 4));
  EXPECT_EQ(Values(*good), kFloats);
  EXPECT_EQ(read(300'000).status().message(),
            (folder / "x.npy") + ": has a header of 300058 bytes; at most 10000 are read");
}

TEST(FeatureFile, NumbersAreBoundedAndFinite) {
  const TemporaryFolder folder;
  const std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }";
  const std::string path = folder.Write("x.npy", Npy(header, Bytes(kDoubles)));
  folder.Write("x.safetensors", Safetensors("F64", "[3,4]", Bytes(kDoubles)));
  for (const std::string& file : {path, folder / "x.safetensors"}) {
    EXPECT_TRUE(ReadFeatures(file, 12).ok());
    EXPECT_THAT(std::string(ReadFeatures(file, 11).status().message()),
                AllOf(HasSubstr(file), HasSubstr("at most 11 numbers")));
  }
  for (const double number : {std::nan(""), -HUGE_VAL, 1e300}) {
    std::vector<double> values = kDoubles;
    values[5] = number;
    folder.Write("x.npy", Npy(header, Bytes(values)));
    EXPECT_EQ(ReadFeatures(path).status().message(), path + ": holds NaN or infinite numbers");
  }
}

TEST(FeatureFile, DamagedFilesAreErrorsThatNameThem) {
  const TemporaryFolder folder;
  const std::string values = Bytes(kFloats);
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
      Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", values),
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
