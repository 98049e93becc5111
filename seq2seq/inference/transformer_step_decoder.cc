#include "seq2seq/inference/transformer_step_decoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "seq2seq/kernels/attention.h"
#include "seq2seq/kernels/log_sum_exp.h"
#include "seq2seq/kernels/packed_sequence.h"
#include "seq2seq/kernels/parallel.h"
#include "seq2seq/kernels/ssru.h"

namespace seq2seq {
namespace {

// Rounds larger numbers of rows up, so that matrix products have few different shapes.
int64_t Rounded(int64_t rows) { return rows <= 16 ? rows : (rows + 7) / 8 * 8; }

}  // namespace

TransformerStepDecoder::TransformerStepDecoder(const TransformerInferenceDecoder& decoder,
                                               const PackedOutput& output, SourceMemory memory)
    : decoder_(decoder), options_(decoder.options()), output_(output), memory_(std::move(memory)) {
  for (size_t s = 0; s + 1 < memory_.begins.size(); ++s)
    longest_ = std::max(longest_, memory_.begins[s + 1] - memory_.begins[s]);
}

int64_t TransformerStepDecoder::LengthOf(const Extension& row) const {
  const auto sentence = static_cast<size_t>(row.sentence);
  return memory_.begins[sentence + 1] - memory_.begins[sentence];
}

absl::Span<const float> TransformerStepDecoder::Attention(size_t row) const {
  return {attention_.view().row(static_cast<int64_t>(row)),
          static_cast<size_t>(LengthOf(rows_[row]))};
}

void TransformerStepDecoder::Reserve(int64_t rows) {
  capacity_ = rows;
  const int64_t hidden = options_.hidden;
  buffers_ = TransformerBuffers(options_.transformer, hidden, rows);
  values_ = Buffer(rows, hidden);
  projected_ = Buffer(rows, 3 * hidden);
  contexts_ = Buffer(rows, hidden);
  attention_ = Buffer(rows, longest_);
  scores_ = Buffer(rows, output_.weight.columns());
  normalizers_.resize(static_cast<size_t>(rows));
}

void TransformerStepDecoder::Inherit() {
  std::vector<int32_t> ancestors(static_cast<size_t>(size() * time_));
  for (int64_t row = 0; row < size() && time_ > 0; ++row) {
    const int64_t parent = rows_[static_cast<size_t>(row)].parent;
    int32_t* const own = ancestors.data() + row * time_;
    std::copy_n(ancestors_.data() + parent * (time_ - 1), time_ - 1, own);
    own[time_ - 1] = static_cast<int32_t>(parent);
  }
  ancestors_ = std::move(ancestors);
}

void TransformerStepDecoder::Step(absl::Span<const Extension> rows) {
  rows_.assign(rows.begin(), rows.end());
  ++time_;
  const int64_t groups = GroupsFor(size(), /*side_by_side=*/1);
  const int64_t group_size = Rounded((size() + groups - 1) / groups);
  const int64_t needed = Rounded(size());
  if (needed > capacity_) Reserve(needed);
  BeginStep(needed);
  ParallelFor((size() + group_size - 1) / group_size, [&](int64_t group) {
    const int64_t begin = group * group_size;
    const int64_t count = std::min(group_size, Rounded(size() - begin));
    RunGroup(
        absl::MakeConstSpan(rows_).subspan(static_cast<size_t>(begin), static_cast<size_t>(count)),
        begin, count);
  });
}

void TransformerStepDecoder::BeginStep(int64_t rows) {
  const int64_t hidden = options_.hidden;
  if (options_.kind == DecoderKind::kSsru) {
    cells_before_ = std::exchange(cells_, {});
    for (int64_t layer = 0; layer < options_.layers; ++layer) cells_.emplace_back(rows, hidden);
    return;
  }
  Inherit();
  std::vector<Buffer>& cached = cache_.emplace_back();
  for (int64_t layer = 0; layer < options_.layers; ++layer) cached.emplace_back(rows, 2 * hidden);
  if (options_.transformer.positions != PositionKind::kRotary) return;
  if (!rotary_ || rotary_->positions() <= time_)
    rotary_.emplace(hidden / options_.transformer.heads, 2 * (time_ + 16));
}

void TransformerStepDecoder::Embed(absl::Span<const Extension> rows, Matrix values) const {
  const PositionAdder positions(options_.transformer, decoder_.arrays().positions, options_.hidden,
                                time_, 1);
  int64_t next = 0;
  for (const Extension& row : rows) {
    CopyRow(decoder_.embedding(), row.token, values.row(next));
    positions.Add(time_, values.Rows(next++, 1));
  }
  Clear(Rest(values, next));
}

void TransformerStepDecoder::RunGroup(absl::Span<const Extension> rows, int64_t begin,
                                      int64_t count) {
  const auto mine = [&](const Buffer& buffer) { return buffer.view().Rows(begin, count); };
  const Matrix values = mine(values_);
  const TransformerBuffers buffers = buffers_.Rows(begin, count);
  const NormPlacement placement = options_.transformer.norm;
  Embed(rows, values);
  Clear(mine(contexts_));
  Clear(mine(attention_));
  for (size_t number = 0; number < decoder_.layers().size(); ++number) {
    const PackedTransformerLayer& layer = decoder_.layers()[number];
    Residual(placement, layer.arrays.self_norm, buffers, values,
             [&](ConstMatrix input, Matrix output) {
               if (options_.kind == DecoderKind::kSsru) {
                 Recur(number, rows, begin, input, output);
               } else {
                 SelfAttend(number, static_cast<int64_t>(rows.size()), begin, input, output);
               }
             });
    if (decoder_.has_attention()) {
      Residual(placement, layer.arrays.cross_norm, buffers, values,
               [&](ConstMatrix input, Matrix output) {
                 AttendToSource(number, rows, begin, input, output);
               });
    }
    FeedForward(options_.transformer, layer, buffers, values);
  }
  NormalizeLast(options_.transformer, decoder_.arrays().norm, values);
  Multiply(values, output_.weight, mine(scores_), output_.bias.view().data);
  LogSumExp(First(mine(scores_), static_cast<int64_t>(rows.size())), normalizers_.data() + begin);
}

void TransformerStepDecoder::SelfAttend(size_t number, int64_t rows, int64_t begin,
                                        ConstMatrix input, Matrix output) {
  const PackedTransformerLayer& layer = decoder_.layers()[number];
  const TransformerAttentionArrays& arrays = layer.arrays.self_attention;
  const int64_t hidden = options_.hidden, heads = options_.transformer.heads, head = hidden / heads;
  const Matrix projected = projected_.view().Rows(begin, input.rows);
  Multiply(input, layer.self, projected, layer.self_bias.view().data);
  if (rotary_) RotateStep(*rotary_, time_, projected.Columns(0, 2 * hidden));
  Scale(projected.Columns(0, hidden), 1 / std::sqrt(static_cast<float>(head)));

  const Matrix cached = cache_.back()[number].view().Rows(begin, input.rows);
  const Matrix contexts = contexts_.view().Rows(begin, input.rows);
  std::vector<const float*> keys(static_cast<size_t>(time_ + 1));
  std::vector<const float*> keys_of_head(keys.size());
  std::vector<float> weights(keys.size());
  for (int64_t row = 0; row < rows; ++row) {
    Copy(projected.Rows(row, 1).Columns(hidden, 2 * hidden), cached.Rows(row, 1));
    const int32_t* const ancestors = ancestors_.data() + (begin + row) * time_;
    for (int64_t t = 0; t < time_; ++t) {
      keys[static_cast<size_t>(t)] =
          cache_[static_cast<size_t>(t)][number].view().row(ancestors[t]);
    }
    keys.back() = cached.row(row);
    for (int64_t h = 0; h < heads; ++h) {
      for (size_t t = 0; t < keys.size(); ++t) keys_of_head[t] = keys[t] + h * head;
      AttendInPlaces(keys_of_head, hidden, head, projected.row(row) + h * head, weights.data(),
                     contexts.row(row) + h * head);
    }
  }
  Multiply(contexts, layer.self_output, output, arrays.out_proj_bias.values<float>());
}

void TransformerStepDecoder::Recur(size_t number, absl::Span<const Extension> rows, int64_t begin,
                                   ConstMatrix input, Matrix output) {
  const PackedTransformerLayer& layer = decoder_.layers()[number];
  const int64_t hidden = options_.hidden;
  const Matrix projected = projected_.view().Rows(begin, input.rows).Columns(0, 2 * hidden);
  Multiply(input, layer.self, projected, layer.self_bias.view().data);
  ConstMatrix before;
  if (time_ > 0) {
    const Matrix gathered = contexts_.view().Rows(begin, input.rows);
    int64_t next = 0;
    for (const Extension& row : rows)
      Copy(cells_before_[number].view().Rows(row.parent, 1), gathered.Rows(next++, 1));
    Clear(Rest(gathered, next));
    before = gathered;
  }
  SsruStep({projected.Columns(0, hidden), projected.Columns(hidden, hidden)}, before,
           cells_[number].view().Rows(begin, input.rows), output);
}

void TransformerStepDecoder::AttendToSource(size_t number, absl::Span<const Extension> rows,
                                            int64_t begin, ConstMatrix input, Matrix output) {
  const PackedTransformerLayer& layer = decoder_.layers()[number];
  const TransformerAttentionArrays& arrays = layer.arrays.cross_attention;
  const int64_t hidden = options_.hidden, heads = options_.transformer.heads, head = hidden / heads;
  const Matrix queries = projected_.view().Rows(begin, input.rows).Columns(0, hidden);
  Multiply(input, layer.queries, queries, arrays.in_proj_bias.values<float>());
  Scale(queries, 1 / std::sqrt(static_cast<float>(head)));
  const Matrix contexts = contexts_.view().Rows(begin, input.rows);
  const bool last = number + 1 == decoder_.layers().size();
  std::vector<float> weights(static_cast<size_t>(longest_));
  int64_t next = 0;
  for (const Extension& extension : rows) {
    const int64_t row = next++;
    const int64_t length = LengthOf(extension);
    const Matrix source = memory_.layers[number].view().Rows(
        memory_.begins[static_cast<size_t>(extension.sentence)], length);
    float* const mean = attention_.view().row(begin + row);
    for (int64_t h = 0; h < heads; ++h) {
      const AttentionMemory memory = {source.Columns(h * head, head),
                                      source.Columns(hidden + h * head, head)};
      Attend(memory, queries.row(row) + h * head, weights.data(), contexts.row(row) + h * head);
      if (!last) continue;
      for (int64_t s = 0; s < length; ++s)
        mean[s] += weights[static_cast<size_t>(s)] / static_cast<float>(heads);
    }
  }
  Multiply(contexts, layer.cross_output, output, arrays.out_proj_bias.values<float>());
}

}  // namespace seq2seq
