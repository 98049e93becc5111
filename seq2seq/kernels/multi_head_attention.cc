#include "seq2seq/kernels/multi_head_attention.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>

#include "seq2seq/base/random.h"
#include "seq2seq/kernels/caching_allocator.h"
#include "seq2seq/kernels/dropout.h"
#include "seq2seq/kernels/packing.h"
#include "seq2seq/kernels/parallel.h"
#include "seq2seq/kernels/unroll.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/multi_head_attention.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/dropout-inl.h"
#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

// Queries that are processed at once: four tiles of rows.
constexpr int64_t kBlockRows = 24;

// Rows of weights are whole vectors of this tag; their length is a multiple of 16.
using Lanes16 = hn::CappedTag<float, 16>;

// Vectors that the columns of a tile have at most. With six rows, the sums stay in registers.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr size_t kMaxVectors = 4;
#else
constexpr size_t kMaxVectors = 2;
#endif

// The left side of a small product: element (i, k) is at data[i * row_step + k * inner_step].
struct Left {
  const float* data;
  int64_t row_step;
  int64_t inner_step;
};

Left Plain(ConstMatrix matrix) { return {matrix.data, matrix.stride, 1}; }
Left Transposed(ConstMatrix matrix) { return {matrix.data, 1, matrix.stride}; }

// The sums of a tile, kRows x kVectors vectors, in the order of k.
template <size_t kRows, size_t kVectors, class D>
void MultiplyTile(D d, const Left& left, ConstMatrix right, bool add, int64_t row, int64_t column,
                  Matrix out) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  hn::Vec<D> sums[kRows][kVectors];
  SEQ2SEQ_UNROLL
  for (size_t r = 0; r < kRows; ++r) {
    const float* before = out.row(row + static_cast<int64_t>(r)) + column;
    SEQ2SEQ_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      sums[r][v] = add ? hn::LoadU(d, before + static_cast<int64_t>(v) * lanes) : hn::Zero(d);
    }
  }
  const float* factor = left.data + row * left.row_step;
  const float* values = right.data + column;
  for (int64_t k = 0; k < right.rows; ++k) {
    hn::Vec<D> vectors[kVectors];
    SEQ2SEQ_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      vectors[v] = hn::LoadU(d, values + static_cast<int64_t>(v) * lanes);
    }
    SEQ2SEQ_UNROLL
    for (size_t r = 0; r < kRows; ++r) {
      const auto f = hn::Set(d, factor[static_cast<int64_t>(r) * left.row_step]);
      SEQ2SEQ_UNROLL
      for (size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(f, vectors[v], sums[r][v]);
    }
    factor += left.inner_step;
    values += right.stride;
  }
  SEQ2SEQ_UNROLL
  for (size_t r = 0; r < kRows; ++r) {
    float* to = out.row(row + static_cast<int64_t>(r)) + column;
    SEQ2SEQ_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      hn::StoreU(sums[r][v], d, to + static_cast<int64_t>(v) * lanes);
    }
  }
}

template <size_t kRows, size_t kVectors, class D>
void MultiplyRows(D d, const Left& left, ConstMatrix right, bool add, int64_t row, int64_t rows,
                  int64_t column, Matrix out) {
  if constexpr (kRows > 1) {
    if (rows < static_cast<int64_t>(kRows)) {
      return MultiplyRows<kRows - 1, kVectors>(d, left, right, add, row, rows, column, out);
    }
  }
  MultiplyTile<kRows, kVectors>(d, left, right, add, row, column, out);
}

// Computes the columns from `column` on, as long as there are kVectors vectors of them; returns the
// first column that is left.
template <size_t kVectors, class D>
int64_t MultiplyColumns(D d, const Left& left, ConstMatrix right, bool add, int64_t column,
                        Matrix out) {
  // More rows hide the latency of the sums where there is a vector of columns only.
  constexpr int64_t kRows = kVectors == 1 ? 8 : 6;
  const int64_t tiles = (out.rows + kRows - 1) / kRows;
  const int64_t width = static_cast<int64_t>(kVectors * hn::Lanes(d));
  for (; column + width <= out.columns; column += width) {
    int64_t row = 0;
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t rows = (out.rows - row + tiles - tile - 1) / (tiles - tile);
      MultiplyRows<static_cast<size_t>(kRows), kVectors>(d, left, right, add, row, rows, column,
                                                         out);
      row += rows;
    }
  }
  return column;
}

// out (+)= left right, for small matrices; the inner dimension is the number of right's rows.
void MultiplySmall(const Left& left, ConstMatrix right, bool add, Matrix out) {
  const Lanes16 full;
  int64_t column = 0;
  if constexpr (kMaxVectors == 4) column = MultiplyColumns<4>(full, left, right, add, column, out);
  column = MultiplyColumns<2>(full, left, right, add, column, out);
  column = MultiplyColumns<1>(full, left, right, add, column, out);
  column = MultiplyColumns<1>(hn::CappedTag<float, 8>(), left, right, add, column, out);
  column = MultiplyColumns<1>(hn::CappedTag<float, 4>(), left, right, add, column, out);
  MultiplyColumns<1>(One(), left, right, add, column, out);
}

// The lanes of [j, j + lanes) before `limit`.
HWY_INLINE hn::Mask<Lanes16> Before(int64_t limit, int64_t j) {
  const Lanes16 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  return hn::FirstN(d, static_cast<size_t>(std::clamp<int64_t>(limit - j, 0, lanes)));
}

// Replaces `size` products of a query with keys by attention weights, zero from `limit` on, before
// dropout. Returns the logarithm of the softmax's denominator.
float SoftmaxRow(float* HWY_RESTRICT row, int64_t size, int64_t limit, float scale) {
  const Lanes16 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto lowest = hn::Set(d, std::numeric_limits<float>::lowest());
  auto highest_lanes = lowest;
  for (int64_t j = 0; j < size; j += lanes) {
    highest_lanes =
        hn::Max(highest_lanes, hn::IfThenElse(Before(limit, j), hn::LoadU(d, row + j), lowest));
  }
  const auto highest = hn::MaxOfLanes(d, highest_lanes);
  auto sums = hn::Zero(d);
  for (int64_t j = 0; j < size; j += lanes) {
    const auto score = hn::Mul(hn::Sub(hn::LoadU(d, row + j), highest), hn::Set(d, scale));
    const auto e = hn::IfThenElseZero(Before(limit, j), hn::Exp(d, score));
    sums = hn::Add(sums, e);
    hn::StoreU(e, d, row + j);
  }
  const float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  const auto inverse = hn::Set(d, 1 / sum);
  for (int64_t j = 0; j < size; j += lanes) {
    hn::StoreU(hn::Mul(hn::LoadU(d, row + j), inverse), d, row + j);
  }
  return hn::GetLane(highest) * scale + std::log(sum);
}

// Replaces products of a query with keys by attention weights after dropout, and the gradients of
// the latter by those of the products.
void SoftmaxRowBackward(float* HWY_RESTRICT row, float* HWY_RESTRICT gradient, int64_t size,
                        int64_t limit, float scale, float log_sum, uint32_t key,
                        const DropoutRate& rate) {
  const Lanes16 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto kept = hn::Set(d, rate.scale);
  const bool drops = rate.threshold > 0;
  auto sums = hn::Zero(d);
  for (int64_t j = 0; j < size; j += lanes) {
    const auto score = hn::MulSub(hn::LoadU(d, row + j), hn::Set(d, scale), hn::Set(d, log_sum));
    const auto weight = hn::IfThenElseZero(Before(limit, j), hn::Exp(d, score));
    auto of_weight = hn::LoadU(d, gradient + j);
    if (drops) {
      of_weight = hn::IfThenZeroElse(Dropped(d, key, j, rate.threshold), hn::Mul(of_weight, kept));
      hn::StoreU(of_weight, d, gradient + j);
    }
    sums = hn::MulAdd(weight, of_weight, sums);
    hn::StoreU(weight, d, row + j);
  }
  const auto mean = hn::SumOfLanes(d, sums);
  for (int64_t j = 0; j < size; j += lanes) {
    const auto weight = hn::LoadU(d, row + j);
    const auto difference = hn::Sub(hn::LoadU(d, gradient + j), mean);
    hn::StoreU(hn::Mul(hn::Mul(weight, difference), hn::Set(d, scale)), d, gradient + j);
    if (drops) {
      hn::StoreU(hn::IfThenZeroElse(Dropped(d, key, j, rate.threshold), hn::Mul(weight, kept)), d,
                 row + j);
    }
  }
}

void DropRow(float* HWY_RESTRICT row, int64_t size, uint32_t key, const DropoutRate& rate) {
  const Lanes16 d;
  for (int64_t j = 0; j < size; j += static_cast<int64_t>(hn::Lanes(d))) {
    const auto kept = hn::Mul(hn::LoadU(d, row + j), hn::Set(d, rate.scale));
    hn::StoreU(hn::IfThenZeroElse(Dropped(d, key, j, rate.threshold), kept), d, row + j);
  }
}

uint32_t KeyOf(uint64_t seed, int64_t row, int64_t head) {
  return static_cast<uint32_t>(
      DeriveSeed({seed, static_cast<uint64_t>(row), static_cast<uint64_t>(head)}));
}

// The transpose, [size, padded], of keys or values, [key, size], zero past the last key.
Matrix Transpose(ConstMatrix matrix, int64_t padded, float* to) {
  PackRows(reinterpret_cast<const uint32_t*>(matrix.data), matrix.stride, matrix.rows,
           matrix.columns, padded, 0, reinterpret_cast<uint32_t*>(to));
  return {to, matrix.columns, padded, padded};
}

int64_t Pad(int64_t keys) { return (keys + 15) / 16 * 16; }

// Buffer of this thread, reused by the next head.
float* Scratch(int64_t floats) {
  thread_local std::shared_ptr<void> memory;
  thread_local int64_t size = 0;
  if (floats > size) {
    memory = AllocateBlock(static_cast<size_t>(floats) * sizeof(float));
    size = floats;
  }
  return static_cast<float*>(memory.get());
}

// A block of queries, the keys that they reach, and buffers for their products.
struct QueryBlock {
  QueryBlock(ConstMatrix queries, int64_t keys, int64_t first, bool causal)
      : first(first),
        rows(std::min(kBlockRows, queries.rows - first)),
        reach(causal ? first + rows : keys),
        padded(Pad(reach)),
        causal(causal) {}

  // The keys that query `i` of the block attends to: as many first ones.
  int64_t limit(int64_t i) const { return causal ? first + i + 1 : reach; }

  int64_t first;
  int64_t rows;
  int64_t reach;
  int64_t padded;
  bool causal;
};

// Attention of a head in a sentence, whose first query is in row `row` of the batch.
void AttendHead(const MultiHeadInput& head, const MultiHeadOptions& options, int64_t row,
                int64_t index, Matrix output, Matrix log_sums) {
  const int64_t size = head.keys.columns;
  const float scale = 1 / std::sqrt(static_cast<float>(size));
  const DropoutRate rate(options.dropout);
  const int64_t width = Pad(head.keys.rows);
  float* scratch = Scratch((size + kBlockRows) * width);
  const Matrix keys = Transpose(head.keys, width, scratch);
  scratch += size * width;
  for (int64_t first = 0; first < head.queries.rows; first += kBlockRows) {
    const QueryBlock block(head.queries, head.keys.rows, first, options.causal);
    const Matrix weights = {scratch, block.rows, block.padded, width};
    MultiplySmall(Plain(head.queries.Rows(first, block.rows)), keys.Columns(0, block.padded),
                  /*add=*/false, weights);
    for (int64_t i = 0; i < block.rows; ++i) {
      const float log_sum = SoftmaxRow(weights.row(i), block.padded, block.limit(i), scale);
      if (log_sums.data != nullptr) *log_sums.row(first + i) = log_sum;
      if (rate.threshold > 0) {
        DropRow(weights.row(i), block.padded, KeyOf(options.seed, row + first + i, index), rate);
      }
    }
    MultiplySmall(Plain(weights), head.values.Rows(0, block.reach), /*add=*/false,
                  output.Rows(first, block.rows));
  }
}

void AttendHeadBackward(const MultiHeadInput& head, const MultiHeadOptions& options, int64_t row,
                        int64_t index, ConstMatrix log_sums, ConstMatrix output_gradient,
                        const MultiHeadGradient& gradient) {
  const int64_t size = head.keys.columns;
  const float scale = 1 / std::sqrt(static_cast<float>(size));
  const DropoutRate rate(options.dropout);
  const int64_t width = Pad(head.keys.rows);
  float* scratch = Scratch(2 * (size + kBlockRows) * width);
  const Matrix keys = Transpose(head.keys, width, scratch);
  const Matrix values = Transpose(head.values, width, scratch + size * width);
  scratch += 2 * size * width;
  Clear(gradient.keys);
  Clear(gradient.values);
  for (int64_t first = 0; first < head.queries.rows; first += kBlockRows) {
    const QueryBlock block(head.queries, head.keys.rows, first, options.causal);
    const ConstMatrix queries = head.queries.Rows(first, block.rows);
    const ConstMatrix outputs = output_gradient.Rows(first, block.rows);
    const Matrix weights = {scratch, block.rows, block.padded, width};
    const Matrix scores = {scratch + kBlockRows * width, block.rows, block.padded, width};
    MultiplySmall(Plain(queries), keys.Columns(0, block.padded), /*add=*/false, weights);
    MultiplySmall(Plain(outputs), values.Columns(0, block.padded), /*add=*/false, scores);
    for (int64_t i = 0; i < block.rows; ++i) {
      SoftmaxRowBackward(weights.row(i), scores.row(i), block.padded, block.limit(i), scale,
                         *log_sums.row(first + i),
                         rate.threshold > 0 ? KeyOf(options.seed, row + first + i, index) : 0,
                         rate);
    }
    MultiplySmall(Transposed(weights), outputs, /*add=*/true, gradient.values.Rows(0, block.reach));
    MultiplySmall(Transposed(scores), queries, /*add=*/true, gradient.keys.Rows(0, block.reach));
    MultiplySmall(Plain(scores), head.keys.Rows(0, block.reach), /*add=*/false,
                  gradient.queries.Rows(first, block.rows));
  }
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(AttendHead);
HWY_EXPORT(AttendHeadBackward);

namespace {

// The columns of a head.
template <typename T>
MatrixView<T> Head(MatrixView<T> rows, int64_t heads, int64_t head) {
  const int64_t size = rows.columns / heads;
  return rows.Columns(head * size, size);
}

// Calls for each sentence and head, with the views of both.
void ForEachHead(
    const SequenceRows& query_rows, const SequenceRows& key_rows, const MultiHeadInput& input,
    int64_t heads,
    absl::FunctionRef<void(int64_t sentence, int64_t head, const MultiHeadInput& views)> run) {
  ParallelFor(query_rows.batch() * heads, [&](int64_t task) {
    const int64_t sentence = task / heads;
    const int64_t head = task % heads;
    run(sentence, head,
        {Head(query_rows.Of(input.queries, sentence), heads, head),
         Head(key_rows.Of(input.keys, sentence), heads, head),
         Head(key_rows.Of(input.values, sentence), heads, head)});
  });
}

}  // namespace

void MultiHeadAttention(const SequenceRows& query_rows, const SequenceRows& key_rows,
                        const MultiHeadInput& input, const MultiHeadOptions& options, Matrix output,
                        Matrix log_sums) {
  ForEachHead(query_rows, key_rows, input, options.heads,
              [&](int64_t sentence, int64_t head, const MultiHeadInput& views) {
                const Matrix of_head = Head(query_rows.Of(output, sentence), options.heads, head);
                if (views.keys.rows == 0) return Clear(of_head);
                Matrix sums;
                if (log_sums.data != nullptr)
                  sums = query_rows.Of(log_sums, sentence).Columns(head, 1);
                HWY_DYNAMIC_DISPATCH(AttendHead)
                (views, options, query_rows.begin(sentence), head, of_head, sums);
              });
  Clear(query_rows.Tail(output));
}

void MultiHeadAttentionBackward(const SequenceRows& query_rows, const SequenceRows& key_rows,
                                const MultiHeadInput& input, const MultiHeadOptions& options,
                                ConstMatrix log_sums, ConstMatrix output_gradient,
                                const MultiHeadGradient& gradient) {
  ForEachHead(query_rows, key_rows, input, options.heads,
              [&](int64_t sentence, int64_t head, const MultiHeadInput& views) {
                const MultiHeadGradient of_head = {
                    Head(query_rows.Of(gradient.queries, sentence), options.heads, head),
                    Head(key_rows.Of(gradient.keys, sentence), options.heads, head),
                    Head(key_rows.Of(gradient.values, sentence), options.heads, head)};
                if (views.keys.rows == 0) return Clear(of_head.queries);
                HWY_DYNAMIC_DISPATCH(AttendHeadBackward)
                (views, options, query_rows.begin(sentence), head,
                 query_rows.Of(log_sums, sentence).Columns(head, 1),
                 Head(query_rows.Of(output_gradient, sentence), options.heads, head), of_head);
              });
  Clear(query_rows.Tail(gradient.queries));
  Clear(key_rows.Tail(gradient.keys));
  Clear(key_rows.Tail(gradient.values));
}

}  // namespace seq2seq
#endif  // HWY_ONCE
