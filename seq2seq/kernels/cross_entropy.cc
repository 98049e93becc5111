#include "seq2seq/kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
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

float HighestOf(const float* scores, int64_t size) {
  const Full full;
  auto lanes = hn::Set(full, -std::numeric_limits<float>::infinity());
  float highest = -std::numeric_limits<float>::infinity();
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const auto score = hn::LoadU(d, scores + i);
    if constexpr (std::is_same_v<decltype(d), Full>) {
      lanes = hn::Max(lanes, score);
    } else {
      highest = std::max(highest, hn::GetLane(score));
    }
  });
  return std::max(highest, hn::GetLane(hn::MaxOfLanes(full, lanes)));
}

// The sum of exp((score - highest) / temperature), each of which is stored in `exponentials`, which
// may be `scores`.
float Exponentiate(const float* scores, int64_t size, float highest, float temperature,
                   float* exponentials) {
  const Full full;
  const float inverse = 1 / temperature;
  auto lanes = hn::Zero(full);
  float total = 0;
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const auto difference = hn::Sub(hn::LoadU(d, scores + i), hn::Set(d, highest));
    const auto e = hn::Exp(d, hn::Mul(difference, hn::Set(d, inverse)));
    if constexpr (std::is_same_v<decltype(d), Full>) {
      lanes = hn::Add(lanes, e);
    } else {
      total += hn::GetLane(e);
    }
    hn::StoreU(e, d, exponentials + i);
  });
  return total + hn::GetLane(hn::SumOfLanes(full, lanes));
}

// Replaces the logits `scores` by the probabilities at `temperature`, times `share`, plus, unless
// it is null, `added`.
void SoftenRow(float* HWY_RESTRICT scores, int64_t size, float temperature, float share,
               const float* HWY_RESTRICT added) {
  const float total = Exponentiate(scores, size, HighestOf(scores, size), temperature, scores);
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const auto before = added != nullptr ? hn::LoadU(d, added + i) : hn::Zero(d);
    const auto e = hn::LoadU(d, scores + i);
    hn::StoreU(hn::MulAdd(e, hn::Set(d, share / total), before), d, scores + i);
  });
}

// The cross-entropy of the probabilities `targets` with those of the logits `scores` at
// `temperature`, times its square. Replaces `targets` by the gradient of that, times `scale`;
// `buffer` has the same size.
double DistillRow(const float* HWY_RESTRICT scores, int64_t size, float temperature, double scale,
                  float* HWY_RESTRICT targets, float* HWY_RESTRICT buffer) {
  const float highest = HighestOf(scores, size);
  const float total = Exponentiate(scores, size, highest, temperature, buffer);
  const auto slope = static_cast<float>(scale * static_cast<double>(temperature));
  const Full full;
  auto lanes = hn::Zero(full);
  float sum = 0;  // Of target (score - highest).
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const auto target = hn::LoadU(d, targets + i);
    const auto score = hn::Sub(hn::LoadU(d, scores + i), hn::Set(d, highest));
    if constexpr (std::is_same_v<decltype(d), Full>) {
      lanes = hn::MulAdd(target, score, lanes);
    } else {
      sum += hn::GetLane(target) * hn::GetLane(score);
    }
    const auto probability = hn::Mul(hn::LoadU(d, buffer + i), hn::Set(d, 1 / total));
    hn::StoreU(hn::Mul(hn::Sub(probability, target), hn::Set(d, slope)), d, targets + i);
  });
  sum += hn::GetLane(hn::SumOfLanes(full, lanes));
  const auto t = static_cast<double>(temperature);
  return t * t * (std::log(static_cast<double>(total)) - static_cast<double>(sum) / t);
}

// Adds the loss of a row to `sums` and, with `gradient`, replaces the logits `scores` by the
// gradient of the objective, times `scale`. e^log_copied is added to the probability of the
// reference; returns the gradient of log_copied.
double ScoreRow(float* HWY_RESTRICT scores, int64_t size, int64_t truth, double smoothing,
                bool gradient, double scale, double log_copied, CrossEntropySums& sums) {
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
  const float total = Exponentiate(scores, size, highest, /*temperature=*/1, scores);
  const double log_total = static_cast<double>(highest) + std::log(static_cast<double>(total));
  const double log_generated = static_cast<double>(truth_score) - log_total;
  const double larger = std::max(log_generated, log_copied);
  const double nll = -larger - std::log1p(std::exp(std::min(log_generated, log_copied) - larger));
  const double mean = log_total - static_cast<double>(sum) / static_cast<double>(size);
  sums.nll += nll;
  sums.objective += (1 - smoothing) * nll + smoothing * mean;
  sums.correct += -nll >= static_cast<double>(highest) - log_total ? 1 : 0;
  if (!gradient) return 0;

  // The share of the output layer in the probability of the reference: 1 where nothing is copied.
  const double generated = std::exp(log_generated + nll);
  const double hard = (1 - smoothing) * generated;
  const auto share = static_cast<float>(scale * smoothing / static_cast<double>(size));
  const auto inverse = static_cast<float>(scale * (hard + smoothing) / static_cast<double>(total));
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const auto probability = hn::Mul(hn::LoadU(d, scores + i), hn::Set(d, inverse));
    hn::StoreU(hn::Sub(probability, hn::Set(d, share)), d, scores + i);
  });
  scores[truth] -= static_cast<float>(scale * hard);
  return -scale * (1 - smoothing) * (1 - generated);
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(SoftenRow);
HWY_EXPORT(DistillRow);
HWY_EXPORT(ScoreRow);

namespace {

// Rows of a chunk, whose logits about fill a third-level cache.
int64_t ChunkRows(int64_t rows, int64_t vocab) {
  constexpr int64_t kScores = int64_t{3} << 20;
  const int64_t limit = std::max<int64_t>(kScores / vocab, 64);
  const int64_t chunks = std::max<int64_t>((rows + limit - 1) / limit, 1);
  return ((rows + chunks - 1) / chunks + 15) / 16 * 16;
}

// Runs run(row, sums) for each row, which sets its sums, and adds these up, in an order that does
// not depend on the number of threads.
template <typename Run>
CrossEntropySums SumOverRows(int64_t count, const Run& run) {
  std::vector<CrossEntropySums> rows(static_cast<size_t>(count));
  ParallelRanges(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) run(row, rows[static_cast<size_t>(row)]);
  });
  CrossEntropySums sums;
  for (const CrossEntropySums& row : rows) {
    sums.objective += row.objective;
    sums.nll += row.nll;
    sums.correct += row.correct;
  }
  return sums;
}

// The logarithm of what is copied where nothing is.
constexpr double kNothing = -std::numeric_limits<double>::infinity();

// What the loss of a chunk is a function of, besides its logits.
struct ChunkLoss {
  const int64_t* truth = nullptr;
  double smoothing = 0;
  bool gradient = false;
  double scale = 1;
  const float* weights = nullptr;     // [row], or null for 1.
  const float* log_copied = nullptr;  // [row], or null for nothing.
  float* copied_gradient = nullptr;   // [row]

  double LogCopied(int64_t row) const {
    return log_copied == nullptr ? kNothing : static_cast<double>(log_copied[row]);
  }

  double Weight(int64_t row) const {
    return weights == nullptr ? 1 : static_cast<double>(weights[row]);
  }
};

CrossEntropySums ScoreRows(Matrix scores, const ChunkLoss& loss) {
  return SumOverRows(scores.rows, [&](int64_t row, CrossEntropySums& sums) {
    const double weight = loss.Weight(row);
    const double gradient = HWY_DYNAMIC_DISPATCH(ScoreRow)(
        scores.row(row), scores.columns, loss.truth[row], loss.smoothing, loss.gradient,
        weight * loss.scale, loss.LogCopied(row), sums);
    sums.objective *= weight;
    if (loss.copied_gradient != nullptr) loss.copied_gradient[row] = static_cast<float>(gradient);
  });
}

// The teachers of soft targets, with their weights packed, and buffers for a chunk.
class SoftChunks {
 public:
  SoftChunks(const SoftTargets& soft, int64_t chunk, int64_t vocab, Precision precision)
      : soft_(soft),
        precision_(precision),
        targets_(chunk, vocab),
        others_(soft.teachers.size() > 1 ? chunk : 0, vocab) {
    for (const SoftTargets::Teacher& teacher : soft.teachers)
      weights_.push_back(PackedMatrix::PackTransposed(teacher.layer.weight, precision));
  }

  // The loss of the rows from `begin` on, as ScoreRows.
  CrossEntropySums Score(Matrix scores, int64_t begin, const ChunkLoss& loss) const {
    Matrix targets = targets_.view().Rows(0, scores.rows);
    for (size_t i = 0; i < weights_.size(); ++i) AddTeacher(i, begin, targets);
    const auto temperature = static_cast<float>(soft_.temperature);
    return SumOverRows(scores.rows, [&](int64_t row, CrossEntropySums& sums) {
      thread_local std::vector<float> buffer;
      buffer.resize(static_cast<size_t>(scores.columns));
      const double scale = loss.Weight(row) * loss.scale;
      const double distilled =
          HWY_DYNAMIC_DISPATCH(DistillRow)(scores.row(row), scores.columns, temperature,
                                           soft_.weight * scale, targets.row(row), buffer.data());
      HWY_DYNAMIC_DISPATCH(ScoreRow)
      (scores.row(row), scores.columns, loss.truth[row], loss.smoothing, loss.gradient,
       (1 - soft_.weight) * scale, kNothing, sums);
      sums.objective =
          loss.Weight(row) * ((1 - soft_.weight) * sums.objective + soft_.weight * distilled);
      if (loss.gradient) Add(targets.Rows(row, 1), scores.Rows(row, 1));
    });
  }

 private:
  // Sets `targets` to the share of the first teacher, or adds that of a later one.
  void AddTeacher(size_t number, int64_t begin, Matrix& targets) const {
    const SoftTargets::Teacher& teacher = soft_.teachers[number];
    // The buffers take turns: the sum of the teachers so far, and the logits of the next.
    Matrix logits = targets;
    if (number > 0)
      logits =
          (targets.data == targets_.view().data ? others_ : targets_).view().Rows(0, targets.rows);
    Multiply(Operand(teacher.input.Rows(begin, targets.rows), precision_), weights_[number], logits,
             teacher.layer.bias);
    const float share = 1 / static_cast<float>(weights_.size());
    ParallelRanges(targets.rows, 1, [&](int64_t first, int64_t end) {
      for (int64_t row = first; row < end; ++row) {
        HWY_DYNAMIC_DISPATCH(SoftenRow)
        (logits.row(row), logits.columns, static_cast<float>(soft_.temperature), share,
         number > 0 ? targets.row(row) : nullptr);
      }
    });
    targets = logits;
  }

  const SoftTargets& soft_;
  const Precision precision_;
  std::vector<PackedMatrix> weights_;
  const Buffer targets_;
  const Buffer others_;
};

}  // namespace

CrossEntropySums OutputCrossEntropy(const OutputLayer& layer, ConstMatrix input,
                                    absl::Span<const int64_t> truth, double smoothing, double scale,
                                    Precision precision, const OutputGradients* gradients,
                                    const SoftTargets& soft, absl::Span<const float> row_weights,
                                    absl::Span<const float> log_copied) {
  const int64_t vocab = layer.weight.rows;
  const int64_t chunk = ChunkRows(input.rows, vocab);
  const PackedMatrix forward = PackedMatrix::PackTransposed(layer.weight, precision);
  const PackedMatrix backward =
      gradients == nullptr ? PackedMatrix() : PackedMatrix::Pack(layer.weight, precision);
  const Buffer scores(chunk, vocab);
  std::optional<SoftChunks> teachers;
  if (!soft.teachers.empty()) teachers.emplace(soft, chunk, vocab, precision);
  std::vector<float> bias(static_cast<size_t>(vocab));
  CrossEntropySums sums;
  for (int64_t begin = 0; begin < input.rows; begin += chunk) {
    const int64_t count = std::min(chunk, input.rows - begin);
    const Operand inputs(input.Rows(begin, count), precision);
    const Matrix part = scores.view().Rows(0, count);
    Multiply(inputs, forward, part, layer.bias);
    ChunkLoss loss = {truth.data() + begin, smoothing, gradients != nullptr, scale};
    if (!row_weights.empty()) loss.weights = row_weights.data() + begin;
    if (!log_copied.empty()) {
      loss.log_copied = log_copied.data() + begin;
      if (gradients != nullptr) loss.copied_gradient = gradients->log_copied + begin;
    }
    const CrossEntropySums of_part =
        teachers ? teachers->Score(part, begin, loss) : ScoreRows(part, loss);
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
