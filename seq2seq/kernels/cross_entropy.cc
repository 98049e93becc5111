#include "seq2seq/kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "seq2seq/kernels/gates.h"
#include "seq2seq/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/cross_entropy.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

// Adds the loss of a row to `sums` and, unless `scale` is 0, replaces the logits `scores` by the
// gradient of the objective, times `scale`.
void ScoreRow(float* HWY_RESTRICT scores, int64_t size, int64_t truth, double smoothing,
              double scale, CrossEntropySums& sums) {
  const bool gradient = scale != 0;
  const Full full;
  auto highest_lanes = hn::Set(full, -std::numeric_limits<float>::infinity());
  auto sum_lanes = hn::Zero(full);
  float highest = -std::numeric_limits<float>::infinity();
  float sum = 0;
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const auto score = hn::LoadU(d, scores + i);
    if constexpr (std::is_same_v<decltype(d), Full>) {
      highest_lanes = hn::Max(highest_lanes, score);
      sum_lanes = hn::Add(sum_lanes, score);
    } else {
      highest = std::max(highest, hn::GetLane(score));
      sum += hn::GetLane(score);
    }
  });
  highest = std::max(highest, hn::GetLane(hn::MaxOfLanes(full, highest_lanes)));
  sum += hn::GetLane(hn::SumOfLanes(full, sum_lanes));

  const float truth_score = scores[truth];
  auto total_lanes = hn::Zero(full);
  float total = 0;
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const auto e = hn::Exp(d, hn::Sub(hn::LoadU(d, scores + i), hn::Set(d, highest)));
    if constexpr (std::is_same_v<decltype(d), Full>) {
      total_lanes = hn::Add(total_lanes, e);
    } else {
      total += hn::GetLane(e);
    }
    if (gradient) hn::StoreU(e, d, scores + i);
  });
  total += hn::GetLane(hn::SumOfLanes(full, total_lanes));

  const double log_total = static_cast<double>(highest) + std::log(static_cast<double>(total));
  const double nll = log_total - static_cast<double>(truth_score);
  const double mean = log_total - static_cast<double>(sum) / static_cast<double>(size);
  sums.nll += nll;
  sums.objective += (1 - smoothing) * nll + smoothing * mean;
  sums.correct += truth_score >= highest ? 1 : 0;
  if (!gradient) return;

  const auto share = static_cast<float>(scale * smoothing / static_cast<double>(size));
  const auto inverse = static_cast<float>(scale / static_cast<double>(total));
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const auto probability = hn::Mul(hn::LoadU(d, scores + i), hn::Set(d, inverse));
    hn::StoreU(hn::Sub(probability, hn::Set(d, share)), d, scores + i);
  });
  scores[truth] -= static_cast<float>(scale * (1 - smoothing));
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(ScoreRow);

namespace {

// Rows of a chunk, whose logits about fill a third-level cache.
int64_t ChunkRows(int64_t rows, int64_t vocab) {
  constexpr int64_t kScores = int64_t{3} << 20;
  const int64_t limit = std::max<int64_t>(kScores / vocab, 64);
  const int64_t chunks = std::max<int64_t>((rows + limit - 1) / limit, 1);
  return ((rows + chunks - 1) / chunks + 15) / 16 * 16;
}

CrossEntropySums ScoreRows(Matrix scores, const int64_t* truth, double smoothing, double scale) {
  // Summed in an order that does not depend on the number of threads.
  std::vector<CrossEntropySums> rows(static_cast<size_t>(scores.rows));
  ParallelRanges(scores.rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      HWY_DYNAMIC_DISPATCH(ScoreRow)
      (scores.row(row), scores.columns, truth[row], smoothing, scale,
       rows[static_cast<size_t>(row)]);
    }
  });
  CrossEntropySums sums;
  for (const CrossEntropySums& row : rows) {
    sums.objective += row.objective;
    sums.nll += row.nll;
    sums.correct += row.correct;
  }
  return sums;
}

}  // namespace

CrossEntropySums OutputCrossEntropy(const OutputLayer& layer, ConstMatrix input,
                                    absl::Span<const int64_t> truth, double smoothing, double scale,
                                    Precision precision, const OutputGradients* gradients) {
  const int64_t vocab = layer.weight.rows;
  const int64_t chunk = ChunkRows(input.rows, vocab);
  const PackedMatrix forward = PackedMatrix::PackTransposed(layer.weight, precision);
  const PackedMatrix backward =
      gradients == nullptr ? PackedMatrix() : PackedMatrix::Pack(layer.weight, precision);
  const Buffer scores(chunk, vocab);
  std::vector<float> bias(static_cast<size_t>(vocab));
  CrossEntropySums sums;
  for (int64_t begin = 0; begin < input.rows; begin += chunk) {
    const int64_t count = std::min(chunk, input.rows - begin);
    const Operand inputs(input.Rows(begin, count), precision);
    const Matrix part = scores.view().Rows(0, count);
    Multiply(inputs, forward, part, layer.bias);
    const CrossEntropySums of_part =
        ScoreRows(part, truth.data() + begin, smoothing, gradients == nullptr ? 0 : scale);
    sums.objective += of_part.objective;
    sums.nll += of_part.nll;
    sums.correct += of_part.correct;
    if (gradients == nullptr) continue;
    const Operand score_gradients(part, precision);
    Multiply(score_gradients, backward, gradients->input.Rows(begin, count));
    if (begin == 0) {
      MultiplyTransposed(score_gradients, inputs, gradients->weight);
      SumRows(part, gradients->bias);
    } else {
      MultiplyTransposedAdd(score_gradients, inputs, gradients->weight);
      SumRows(part, bias.data());
      for (int64_t i = 0; i < vocab; ++i) gradients->bias[i] += bias[static_cast<size_t>(i)];
    }
  }
  return sums;
}

}  // namespace seq2seq
#endif  // HWY_ONCE
