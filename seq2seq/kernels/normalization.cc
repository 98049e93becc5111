#include "seq2seq/kernels/normalization.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/functional/function_ref.h"

#include "seq2seq/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/normalization.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

// sums += the sums of the columns, [columns].
void AddSums(ConstMatrix values, float* HWY_RESTRICT sums) {
  for (int64_t row = 0; row < values.rows; ++row) {
    const float* HWY_RESTRICT value = values.row(row);
    ForEach(values.columns, [&](auto d, int64_t i) HWY_ATTR {
      hn::StoreU(hn::Add(hn::LoadU(d, sums + i), hn::LoadU(d, value + i)), d, sums + i);
    });
  }
}

// sums += the sums of the columns of (value - mean)^2, with a mean per column.
void AddSquares(ConstMatrix values, const float* HWY_RESTRICT means, float* HWY_RESTRICT sums) {
  for (int64_t row = 0; row < values.rows; ++row) {
    const float* HWY_RESTRICT value = values.row(row);
    ForEach(values.columns, [&](auto d, int64_t i) HWY_ATTR {
      const auto difference = hn::Sub(hn::LoadU(d, value + i), hn::LoadU(d, means + i));
      hn::StoreU(hn::MulAdd(difference, difference, hn::LoadU(d, sums + i)), d, sums + i);
    });
  }
}

// output = max(0, (value - mean) scale + bias), with a mean, scale and bias per column.
void ApplyRelu(ConstMatrix values, const float* HWY_RESTRICT means,
               const float* HWY_RESTRICT scales, const float* HWY_RESTRICT biases, Matrix output) {
  for (int64_t row = 0; row < values.rows; ++row) {
    const float* value = values.row(row);
    float* out = output.row(row);
    ForEach(values.columns, [&](auto d, int64_t i) HWY_ATTR {
      const auto difference = hn::Sub(hn::LoadU(d, value + i), hn::LoadU(d, means + i));
      const auto normal =
          hn::MulAdd(difference, hn::LoadU(d, scales + i), hn::LoadU(d, biases + i));
      hn::StoreU(hn::Max(normal, hn::Zero(d)), d, out + i);
    });
  }
}

// Mean and inverse standard deviation of a row.
struct Moments {
  float mean;
  float scale;
};

HWY_INLINE Moments MomentsOf(const float* value, int64_t size, float epsilon) {
  const int64_t whole = size / LaneSums::kLanes * LaneSums::kLanes;
  LaneSums sums;
  sums.Add(whole, [&](auto d, int64_t i, auto sum)
                      HWY_ATTR { return hn::Add(sum, hn::LoadU(d, value + i)); });
  float total = sums.Total();
  for (int64_t i = whole; i < size; ++i) total += value[i];
  const float mean = total / static_cast<float>(size);
  LaneSums squares;
  squares.Add(whole, [&](auto d, int64_t i, auto sum) HWY_ATTR {
    const auto difference = hn::Sub(hn::LoadU(d, value + i), hn::Set(d, mean));
    return hn::MulAdd(difference, difference, sum);
  });
  total = squares.Total();
  for (int64_t i = whole; i < size; ++i) total += (value[i] - mean) * (value[i] - mean);
  return {mean, 1 / std::sqrt(total / static_cast<float>(size) + epsilon)};
}

void LayerNormRows(ConstMatrix values, const NormWeights& weights, float epsilon, Matrix output) {
  for (int64_t row = 0; row < values.rows; ++row) {
    const float* value = values.row(row);
    float* out = output.row(row);
    const Moments moments = MomentsOf(value, values.columns, epsilon);
    ForEach(values.columns, [&](auto d, int64_t i) HWY_ATTR {
      const auto difference = hn::Sub(hn::LoadU(d, value + i), hn::Set(d, moments.mean));
      const auto normal = hn::Mul(difference, hn::Set(d, moments.scale));
      hn::StoreU(hn::MulAdd(normal, hn::LoadU(d, weights.gain + i), hn::LoadU(d, weights.bias + i)),
                 d, out + i);
    });
  }
}

// Adds the gradients of gain and bias. With n the normalised row, and g the gradient of n, that of
// the row is scale (g - mean(g) - n mean(g n)).
void LayerNormRowsBackward(ConstMatrix values, const float* HWY_RESTRICT gain, float epsilon,
                           ConstMatrix output_gradient, Matrix gradient,
                           float* HWY_RESTRICT gain_gradient, float* HWY_RESTRICT bias_gradient) {
  const int64_t size = values.columns;
  const int64_t whole = size / LaneSums::kLanes * LaneSums::kLanes;
  for (int64_t row = 0; row < values.rows; ++row) {
    const float* value = values.row(row);
    const float* of_output = output_gradient.row(row);
    float* of_value = gradient.row(row);
    const Moments moments = MomentsOf(value, size, epsilon);
    const auto normal = [&](auto d, int64_t i) HWY_ATTR {
      const auto difference = hn::Sub(hn::LoadU(d, value + i), hn::Set(d, moments.mean));
      return hn::Mul(difference, hn::Set(d, moments.scale));
    };
    const auto of_normal = [&](auto d, int64_t i) HWY_ATTR {
      return hn::Mul(hn::LoadU(d, of_output + i), hn::LoadU(d, gain + i));
    };
    LaneSums sums;
    sums.Add(whole,
             [&](auto d, int64_t i, auto sum) HWY_ATTR { return hn::Add(sum, of_normal(d, i)); });
    LaneSums products;
    products.Add(whole, [&](auto d, int64_t i, auto sum)
                            HWY_ATTR { return hn::MulAdd(of_normal(d, i), normal(d, i), sum); });
    float sum = sums.Total();
    float product = products.Total();
    for (int64_t i = whole; i < size; ++i) {
      const auto g = of_normal(One(), i);
      sum += hn::GetLane(g);
      product += hn::GetLane(hn::Mul(g, normal(One(), i)));
    }
    const float mean = sum / static_cast<float>(size);
    const float slope = product / static_cast<float>(size);
    ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
      const auto n = normal(d, i);
      const auto g = hn::LoadU(d, of_output + i);
      hn::StoreU(hn::MulAdd(g, n, hn::LoadU(d, gain_gradient + i)), d, gain_gradient + i);
      hn::StoreU(hn::Add(g, hn::LoadU(d, bias_gradient + i)), d, bias_gradient + i);
      const auto centred = hn::Sub(hn::Mul(g, hn::LoadU(d, gain + i)), hn::Set(d, mean));
      const auto rest = hn::NegMulAdd(n, hn::Set(d, slope), centred);
      hn::StoreU(hn::Mul(rest, hn::Set(d, moments.scale)), d, of_value + i);
    });
  }
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
namespace {

HWY_EXPORT(AddSums);
HWY_EXPORT(AddSquares);
HWY_EXPORT(ApplyRelu);
HWY_EXPORT(LayerNormRows);
HWY_EXPORT(LayerNormRowsBackward);

constexpr float kEpsilon = 1e-5f;  // As in torch.nn.

// Rows that are summed in fp32; so few that rounding does not add up.
constexpr int64_t kBlockRows = 256;

// Means of groups of columns, each repeated for the columns of its group: add(rows, sums) adds the
// sums of the columns of some rows.
std::vector<float> GroupMeans(ConstMatrix values, int64_t groups,
                              absl::FunctionRef<void(ConstMatrix rows, float* sums)> add) {
  const int64_t blocks = (values.rows + kBlockRows - 1) / kBlockRows;
  const Buffer sums(blocks, values.columns);
  ParallelFor(blocks, [&](int64_t block) {
    const int64_t begin = block * kBlockRows;
    Clear(sums.view().Rows(block, 1));
    add(values.Rows(begin, std::min(kBlockRows, values.rows - begin)), sums.view().row(block));
  });
  const int64_t size = values.columns / groups;
  std::vector<float> means;
  for (int64_t group = 0; group < groups; ++group) {
    double sum = 0;
    for (int64_t block = 0; block < blocks; ++block) {
      const float* of_block = sums.view().row(block) + group * size;
      for (int64_t i = 0; i < size; ++i) sum += static_cast<double>(of_block[i]);
    }
    means.insert(means.end(), static_cast<size_t>(size),
                 static_cast<float>(sum / static_cast<double>(size * values.rows)));
  }
  return means;
}

}  // namespace

void GroupNormRelu(ConstMatrix values, int64_t groups, const NormWeights& weights, Matrix output) {
  const std::vector<float> means = GroupMeans(values, groups, [&](ConstMatrix rows, float* sums) {
    HWY_DYNAMIC_DISPATCH(AddSums)(rows, sums);
  });
  std::vector<float> scales = GroupMeans(values, groups, [&](ConstMatrix rows, float* sums) {
    HWY_DYNAMIC_DISPATCH(AddSquares)(rows, means.data(), sums);
  });
  for (size_t i = 0; i < scales.size(); ++i)
    scales[i] = weights.gain[i] / std::sqrt(scales[i] + kEpsilon);
  ParallelRanges(values.rows, kBlockRows, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(ApplyRelu)
    (values.Rows(begin, end - begin), means.data(), scales.data(), weights.bias,
     output.Rows(begin, end - begin));
  });
}

void LayerNorm(ConstMatrix values, const NormWeights& weights, Matrix output) {
  HWY_DYNAMIC_DISPATCH(LayerNormRows)(values, weights, kEpsilon, output);
}

void LayerNormBackward(ConstMatrix values, const float* gain, ConstMatrix output_gradient,
                       const NormGradients& gradients) {
  constexpr int64_t kRows = 64;  // Of a block, whatever the number of threads.
  const int64_t size = values.columns;
  const int64_t blocks = (values.rows + kRows - 1) / kRows;
  const Buffer sums(blocks, 2 * size);
  ParallelFor(blocks, [&](int64_t block) {
    const int64_t begin = block * kRows;
    const int64_t count = std::min(kRows, values.rows - begin);
    Clear(sums.view().Rows(block, 1));
    float* of_block = sums.view().row(block);
    HWY_DYNAMIC_DISPATCH(LayerNormRowsBackward)
    (values.Rows(begin, count), gain, kEpsilon, output_gradient.Rows(begin, count),
     gradients.values.Rows(begin, count), of_block, of_block + size);
  });
  std::fill_n(gradients.gain, size, 0.0f);
  std::fill_n(gradients.bias, size, 0.0f);
  HWY_DYNAMIC_DISPATCH(AddSums)(sums.view().Columns(0, size), gradients.gain);
  HWY_DYNAMIC_DISPATCH(AddSums)(sums.view().Columns(size, size), gradients.bias);
}

}  // namespace seq2seq
#endif  // HWY_ONCE
