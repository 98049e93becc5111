#include "seq2seq/image/feature_file.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/weights/safetensors.h"

namespace seq2seq {
namespace {

constexpr uint32_t kMaxNpyHeader = 10'000;  // As in NumPy.

absl::Status Wrong(const std::string& path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
}

// The text after `key` in a Python dictionary literal; empty if the key is absent.
absl::string_view ValueOf(absl::string_view header, absl::string_view key) {
  const size_t found = header.find(absl::StrCat("'", key, "':"));
  if (found == absl::string_view::npos) return "";
  return absl::StripLeadingAsciiWhitespace(header.substr(found + key.size() + 3));
}

// The type of little-endian floats; nullopt for others.
std::optional<ArrayType> FloatType(absl::string_view text) {
  if (text.size() < 5 || text[0] != '\'' || !absl::StrContains("<=|", text[1]) || text[4] != '\'')
    return std::nullopt;
  const absl::string_view type = text.substr(2, 2);
  if (type == "f2") return ArrayType::kFloat16;
  if (type == "f4") return ArrayType::kFloat32;
  if (type == "f8") return ArrayType::kFloat64;
  return std::nullopt;
}

// The layout: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
absl::StatusOr<Array> ReadNpy(const std::string& path, int64_t max_values) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  const absl::string_view bytes(file.data(), file.size());
  if (bytes.size() < 12 || !absl::StartsWith(bytes, "\x93NUMPY")) {
    return Wrong(path, "is not a .npy file");
  }
  const bool wide = bytes[6] > 1;  // Version 1 has a length of two bytes.
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 8, wide ? 4 : 2);
  if (length > kMaxNpyHeader) {
    return Wrong(path, absl::StrCat("has a header of ", length, " bytes; at most ", kMaxNpyHeader,
                                    " are read"));
  }
  const size_t begin = (wide ? 12 : 10) + static_cast<size_t>(length);
  if (begin > bytes.size()) return Wrong(path, "is cut off in its header");
  const absl::string_view header = bytes.substr(wide ? 12 : 10, length);
  const std::optional<ArrayType> type = FloatType(ValueOf(header, "descr"));
  if (!type) return Wrong(path, "does not hold little-endian floats");
  absl::string_view shape = ValueOf(header, "shape");
  if (!absl::StartsWith(ValueOf(header, "fortran_order"), "False") ||
      !absl::ConsumePrefix(&shape, "(")) {
    return Wrong(path, "is not in C order");
  }
  shape = shape.substr(0, shape.find(')'));
  std::vector<int64_t> sizes;
  int64_t count = 1;
  for (const absl::string_view part :
       absl::StrSplit(shape, absl::ByAnyChar(", "), absl::SkipEmpty())) {
    if (!absl::SimpleAtoi(part, &sizes.emplace_back()) || sizes.back() < 1 ||
        sizes.back() > max_values / count) {
      return Wrong(path, absl::StrCat("has the shape (", shape.substr(0, 80), "); at most ",
                                      max_values, " numbers are read"));
    }
    count *= sizes.back();
  }
  const auto size = static_cast<size_t>(count) * ElementSize(*type);
  if (bytes.size() - begin < size) return Wrong(path, "is cut off in its values");
  const Array values = Array::Empty(*type, std::move(sizes));
  std::memcpy(values.data.get(), bytes.data() + begin, size);
  return values;
}

absl::StatusOr<Array> ReadSafetensors(const std::string& path, int64_t max_values) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const ArrayMap arrays, ReadArrays(path));
  if (arrays.size() != 1) {
    return Wrong(path, absl::StrCat("holds ", arrays.size(), " tensors instead of one"));
  }
  const Array& values = arrays.begin()->second;
  if (values.size() <= max_values) return values;
  return Wrong(path, absl::StrCat("holds ", values.size(), " values; at most ", max_values,
                                  " numbers are read"));
}

// [channels, rows, columns] -> [rows x columns, channels], floats.
Array ChannelsLast(const Array& grid) {
  const int64_t channels = grid.shape[0];
  const int64_t positions = grid.shape[1] * grid.shape[2];
  Array features = Array::Empty(ArrayType::kFloat32, {positions, channels});
  const float* from = grid.values<float>();
  float* to = features.values<float>();
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t channel = 0; channel < channels; ++channel)
      *to++ = from[channel * positions + position];
  }
  return features;
}

}  // namespace

absl::StatusOr<Array> ReadFeatures(const std::string& path, int64_t max_values) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const Array stored, absl::EndsWith(path, ".safetensors")
                                                   ? ReadSafetensors(path, max_values)
                                                   : ReadNpy(path, max_values));
  const size_t dimensions = stored.shape.size();
  if ((dimensions != 2 && dimensions != 3) || stored.size() == 0) {
    return Wrong(path, "is not of the shape [position, channels] or [channels, rows, columns]");
  }
  Array features = ToFloat32(stored);
  if (dimensions == 3) features = ChannelsLast(features);
  const float* values = features.values<float>();
  if (!std::all_of(values, values + features.size(), [](float x) { return std::isfinite(x); })) {
    return Wrong(path, "holds NaN or infinite numbers");
  }
  return features;
}

}  // namespace seq2seq
