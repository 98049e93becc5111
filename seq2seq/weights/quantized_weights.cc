#include "seq2seq/weights/quantized_weights.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/weights/safetensors.h"

namespace seq2seq {
namespace {

constexpr char kScales[] = ".scales";

// The largest absolute value, NaN if there is one: without their signs, floats are in the order of
// their bits, and loops over integers become vector instructions.
float LargestMagnitude(const float* values, int64_t size) {
  int32_t largest = 0;
  for (int64_t i = 0; i < size; ++i)
    largest = std::max(largest, std::bit_cast<int32_t>(values[i]) & 0x7FFFFFFF);
  return std::bit_cast<float>(largest);
}

// The integers nearest to values / scale, which are below 2^22 in magnitude, ties to even: the sum
// with 1.5 x 2^23 has no bits for a fraction, and the integer in its lowest bits.
void RoundQuotients(const float* values, int64_t size, float scale, int8_t* rounded) {
  constexpr float kNoFraction = 0x1.8p23f;
  for (int64_t i = 0; i < size; ++i)
    rounded[i] = static_cast<int8_t>(std::bit_cast<int32_t>(values[i] / scale + kNoFraction));
}

// Integers, and the scales of their rows.
std::pair<Array, Array> QuantizeToInt8(const Array& weight) {
  const ConstMatrix values = weight.matrix();
  Array integers = Array::Empty(ArrayType::kInt8, weight.shape);
  Array scales = Array::Empty(ArrayType::kFloat32, {values.rows});
  for (int64_t row = 0; row < values.rows; ++row) {
    const float largest = LargestMagnitude(values.row(row), values.columns);
    const float scale = largest == 0 ? 1 : largest / 127;
    RoundQuotients(values.row(row), values.columns, scale,
                   integers.values<int8_t>() + row * values.columns);
    scales.values<float>()[row] = scale;
  }
  return {std::move(integers), std::move(scales)};
}

}  // namespace

ArrayMap QuantizeWeights(const ArrayMap& weights, Precision precision) {
  ArrayMap quantized;
  for (const auto& [name, array] : weights) {
    if (precision == Precision::kFp32 || array.shape.size() != 2) {
      quantized.emplace(name, array);
    } else if (precision == Precision::kBf16) {
      quantized.emplace(name, ToBfloat16(ToFloat32(array)));
    } else {
      auto [integers, scales] = QuantizeToInt8(ToFloat32(array));
      quantized.emplace(name, std::move(integers));
      quantized.emplace(name + kScales, std::move(scales));
    }
  }
  return quantized;
}

Precision PrecisionOf(const ArrayMap& weights) {
  for (const auto& [name, array] : weights) {
    if (array.type == ArrayType::kInt8) return Precision::kInt8;
    if (array.type == ArrayType::kBfloat16) return Precision::kBf16;
  }
  return Precision::kFp32;
}

absl::StatusOr<ArrayMap> JoinScales(ArrayMap weights, const std::string& path) {
  SEQ2SEQ_RETURN_IF_ERROR(CheckFinite(weights, path));
  std::vector<std::string> joined;
  for (auto& [name, array] : weights) {
    if (array.type != ArrayType::kInt8) continue;
    const auto scales = weights.find(name + kScales);
    if (array.shape.size() != 2 || scales == weights.end() ||
        scales->second.shape != std::vector<int64_t>{array.shape[0]}) {
      return absl::DataLossError(absl::StrCat(path, ": tensor '", name, "' needs '", name, kScales,
                                              "' with one scale per row"));
    }
    const Array floats = ToFloat32(scales->second);
    array.scales = std::shared_ptr<const float>(floats.data, floats.values<float>());
    joined.push_back(scales->first);
  }
  for (const std::string& name : joined) weights.erase(name);
  return weights;
}

absl::StatusOr<ArrayMap> DequantizeWeights(const ArrayMap& weights, const std::string& path) {
  SEQ2SEQ_ASSIGN_OR_RETURN(ArrayMap restored, JoinScales(weights, path));
  for (auto& [name, array] : restored) array = ToFloat32(array);
  return restored;
}

}  // namespace seq2seq
