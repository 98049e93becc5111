#include "seq2seq/kernels/attention.h"

#include <algorithm>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/attention.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

// out (+)= the sum of rows, each times its factor; one pass over `out` for four rows.
void WeightedSum(const float* factors, int64_t factor_stride, ConstMatrix rows, bool add,
                 float* HWY_RESTRICT out) {
  const auto factor = [&](int64_t row) {
    return row < rows.rows ? factors[row * factor_stride] : 0.0f;
  };
  for (int64_t row = 0; row < rows.rows; row += 4) {
    const float* HWY_RESTRICT r0 = rows.row(row);
    const float* HWY_RESTRICT r1 = rows.row(std::min(row + 1, rows.rows - 1));
    const float* HWY_RESTRICT r2 = rows.row(std::min(row + 2, rows.rows - 1));
    const float* HWY_RESTRICT r3 = rows.row(std::min(row + 3, rows.rows - 1));
    const bool fresh = row == 0 && !add;
    ForEach(rows.columns, [&](auto d, int64_t i) HWY_ATTR {
      auto sum = fresh ? hn::Zero(d) : hn::LoadU(d, out + i);
      sum = hn::MulAdd(hn::Set(d, factor(row)), hn::LoadU(d, r0 + i), sum);
      sum = hn::MulAdd(hn::Set(d, factor(row + 1)), hn::LoadU(d, r1 + i), sum);
      sum = hn::MulAdd(hn::Set(d, factor(row + 2)), hn::LoadU(d, r2 + i), sum);
      sum = hn::MulAdd(hn::Set(d, factor(row + 3)), hn::LoadU(d, r3 + i), sum);
      hn::StoreU(sum, d, out + i);
    });
  }
}

void DotRows(ConstMatrix keys, const float* query, float* scores) {
  for (int64_t s = 0; s < keys.rows; ++s) scores[s] = Dot(keys.row(s), query, keys.columns);
}

void AdditiveRows(ConstMatrix keys, const float* query, const PastFeatures& past,
                  const float* energy, float* scores) {
  const int64_t size = keys.columns;
  const int64_t whole = size / LaneSums::kLanes * LaneSums::kLanes;
  for (int64_t s = 0; s < keys.rows; ++s) {
    const float* HWY_RESTRICT key = keys.row(s);
    const auto term = [&](auto d, int64_t i) HWY_ATTR {
      auto sum = hn::Add(hn::LoadU(d, key + i), hn::LoadU(d, query + i));
      for (int64_t f = 0; f < past.features.columns; ++f) {
        sum = hn::MulAdd(hn::Set(d, past.features.row(s)[f]), hn::LoadU(d, past.weights.row(f) + i),
                         sum);
      }
      return hn::Mul(hn::LoadU(d, energy + i), FastTanh(d, sum));
    };
    LaneSums sums;
    sums.Add(whole, [&](auto d, int64_t i, auto sum) HWY_ATTR { return hn::Add(sum, term(d, i)); });
    float rest = 0;
    for (int64_t i = whole; i < size; ++i) rest += hn::GetLane(term(One(), i));
    scores[s] = sums.Total() + rest;
  }
}

// weights = softmax(weights), [size].
void Softmax(int64_t size, float* weights) {
  const float highest = *std::max_element(weights, weights + size);
  ForEach(size, [&](auto d, int64_t s) HWY_ATTR {
    hn::StoreU(hn::Exp(d, hn::Sub(hn::LoadU(d, weights + s), hn::Set(d, highest))), d, weights + s);
  });
  float sum = 0;
  for (int64_t s = 0; s < size; ++s) sum += weights[s];
  for (int64_t s = 0; s < size; ++s) weights[s] /= sum;
}

void SoftmaxMeanRow(ConstMatrix values, float* weights, float* context) {
  Softmax(values.rows, weights);
  WeightedSum(weights, 1, values, /*add=*/false, context);
}

void AttendRow(const AttentionMemory& source, const float* query, float* weights, float* context) {
  DotRows(source.keys, query, weights);
  SoftmaxMeanRow(source.values, weights, context);
}

void AttendPlaces(absl::Span<const float* const> keys, int64_t value_offset, int64_t size,
                  const float* query, float* weights, float* HWY_RESTRICT context) {
  for (size_t s = 0; s < keys.size(); ++s) weights[s] = Dot(keys[s], query, size);
  Softmax(static_cast<int64_t>(keys.size()), weights);
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    auto sum = hn::Zero(d);
    for (size_t s = 0; s < keys.size(); ++s)
      sum = hn::MulAdd(hn::Set(d, weights[s]), hn::LoadU(d, keys[s] + value_offset + i), sum);
    hn::StoreU(sum, d, context + i);
  });
}

void ScoreGradient(ConstMatrix values, const float* weights,
                   const AttentionOutputGradient& output_gradient, float* score_gradient) {
  float mean = 0;
  for (int64_t s = 0; s < values.rows; ++s) {
    score_gradient[s] = Dot(values.row(s), output_gradient.context, values.columns);
    if (output_gradient.weights != nullptr) score_gradient[s] += output_gradient.weights[s];
    mean += weights[s] * score_gradient[s];
  }
  for (int64_t s = 0; s < values.rows; ++s)
    score_gradient[s] = weights[s] * (score_gradient[s] - mean);
}

void AttendRowBackward(const AttentionMemory& source, const float* weights,
                       const AttentionOutputGradient& output_gradient, float* score_gradient,
                       float* query_gradient) {
  ScoreGradient(source.values, weights, output_gradient, score_gradient);
  WeightedSum(score_gradient, 1, source.keys, /*add=*/true, query_gradient);
}

void AdditiveRowBackward(const AttentionMemory& source, const float* HWY_RESTRICT query,
                         const PastFeatures& past, const float* HWY_RESTRICT energy,
                         const float* weights, const AttentionOutputGradient& output_gradient,
                         float* score_gradient, const AdditiveGradients& gradients) {
  ScoreGradient(source.values, weights, output_gradient, score_gradient);
  const Full full;
  const bool has_past = past.features.columns > 0;
  const float* HWY_RESTRICT past_weights = past.weights.data;
  for (int64_t s = 0; s < source.keys.rows; ++s) {
    const float* HWY_RESTRICT key = source.keys.row(s);
    const float feature = has_past ? *past.features.row(s) : 0;
    auto feature_lanes = hn::Zero(full);
    float feature_gradient = 0;
    ForEach(source.keys.columns, [&](auto d, int64_t i) HWY_ATTR {
      const auto add = [&](auto term, float* to)
                           HWY_ATTR { hn::StoreU(hn::Add(hn::LoadU(d, to + i), term), d, to + i); };
      const auto slope = hn::Set(d, score_gradient[s]);
      auto sum = hn::Add(hn::LoadU(d, key + i), hn::LoadU(d, query + i));
      if (has_past) sum = hn::MulAdd(hn::Set(d, feature), hn::LoadU(d, past_weights + i), sum);
      const auto tanh = FastTanh(d, sum);
      const auto of_sum = hn::Mul(hn::Mul(slope, hn::LoadU(d, energy + i)),
                                  hn::NegMulAdd(tanh, tanh, hn::Set(d, 1.0F)));
      add(of_sum, gradients.query);
      add(of_sum, gradients.keys.row(s));
      add(hn::Mul(slope, tanh), gradients.energy);
      if (!has_past) return;
      add(hn::Mul(of_sum, hn::Set(d, feature)), gradients.feature_weights);
      const auto of_feature = hn::Mul(of_sum, hn::LoadU(d, past_weights + i));
      if constexpr (std::is_same_v<decltype(d), Full>) {
        feature_lanes = hn::Add(feature_lanes, of_feature);
      } else {
        feature_gradient += hn::GetLane(of_feature);
      }
    });
    if (has_past)
      gradients.features[s] += feature_gradient + hn::GetLane(hn::SumOfLanes(full, feature_lanes));
  }
}

void OuterProducts(ConstMatrix left, ConstMatrix right, Matrix sum) {
  for (int64_t i = 0; i < left.columns; ++i) {
    WeightedSum(left.data + i, left.stride, right, /*add=*/false, sum.row(i));
  }
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(DotRows);
HWY_EXPORT(AdditiveRows);
HWY_EXPORT(SoftmaxMeanRow);
HWY_EXPORT(AttendRow);
HWY_EXPORT(AttendPlaces);
HWY_EXPORT(AttendRowBackward);
HWY_EXPORT(AdditiveRowBackward);
HWY_EXPORT(OuterProducts);

void DotScores(ConstMatrix keys, const float* query, float* scores) {
  HWY_DYNAMIC_DISPATCH(DotRows)(keys, query, scores);
}

void AdditiveScores(ConstMatrix keys, const float* query, const PastFeatures& past,
                    const float* energy, float* scores) {
  HWY_DYNAMIC_DISPATCH(AdditiveRows)(keys, query, past, energy, scores);
}

void SoftmaxMean(ConstMatrix values, float* weights, float* context) {
  HWY_DYNAMIC_DISPATCH(SoftmaxMeanRow)(values, weights, context);
}

void Attend(const AttentionMemory& source, const float* query, float* weights, float* context) {
  HWY_DYNAMIC_DISPATCH(AttendRow)(source, query, weights, context);
}

void AttendInPlaces(absl::Span<const float* const> keys, int64_t value_offset, int64_t size,
                    const float* query, float* weights, float* context) {
  HWY_DYNAMIC_DISPATCH(AttendPlaces)(keys, value_offset, size, query, weights, context);
}

void AttendBackward(const AttentionMemory& source, const float* weights,
                    const AttentionOutputGradient& output_gradient, float* score_gradient,
                    float* query_gradient) {
  HWY_DYNAMIC_DISPATCH(AttendRowBackward)
  (source, weights, output_gradient, score_gradient, query_gradient);
}

void AdditiveBackward(const AttentionMemory& source, const float* query, const PastFeatures& past,
                      const float* energy, const float* weights,
                      const AttentionOutputGradient& output_gradient, float* score_gradient,
                      const AdditiveGradients& gradients) {
  HWY_DYNAMIC_DISPATCH(AdditiveRowBackward)
  (source, query, past, energy, weights, output_gradient, score_gradient, gradients);
}

void SumOfOuterProducts(ConstMatrix left, ConstMatrix right, Matrix sum) {
  HWY_DYNAMIC_DISPATCH(OuterProducts)(left, right, sum);
}

}  // namespace seq2seq
#endif  // HWY_ONCE
