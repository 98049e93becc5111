#include "seq2seq/inference/transformer_step_decoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "seq2seq/kernels/attention.h"
#include "seq2seq/kernels/ssru.h"

namespace seq2seq {
namespace {

int64_t LongestOf(const SourceMemory& memory) {
  int64_t longest = 0;
  for (size_t s = 0; s + 1 < memory.begins.size(); ++s)
    longest = std::max(longest, memory.begins[s + 1] - memory.begins[s]);
  return longest;
}

}  // namespace

TransformerStepDecoder::TransformerStepDecoder(const TransformerInferenceDecoder& decoder,
                                               const PackedOutput& output, SourceMemory memory)
    : GroupedStepDecoder(output, LongestOf(memory)),
      decoder_(decoder),
      options_(decoder.options()),
      memory_(std::move(memory)) {}

void TransformerStepDecoder::Reserve(int64_t rows) {
  const int64_t hidden = options_.hidden;
  buffers_ = TransformerBuffers(options_.transformer, hidden, rows);
  values_ = Buffer(rows, hidden);
  projected_ = Buffer(rows, 3 * hidden);
  contexts_ = Buffer(rows, hidden);
}

void TransformerStepDecoder::Inherit() {
  std::vector<int32_t> ancestors(static_cast<size_t>(size() * time_));
  for (int64_t row = 0; row < size() && time_ > 0; ++row) {
    const int64_t parent = rows()[static_cast<size_t>(row)].parent;
    int32_t* const own = ancestors.data() + row * time_;
    std::copy_n(ancestors_.data() + parent * (time_ - 1), time_ - 1, own);
    own[time_ - 1] = static_cast<int32_t>(parent);
  }
  ancestors_ = std::move(ancestors);
}

void TransformerStepDecoder::BeginStep(int64_t rows, bool grows) {
  ++time_;
  if (grows) Reserve(rows);
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

void TransformerStepDecoder::Embed(const Group& group, Matrix values) const {
  const PositionAdder positions(options_.transformer, decoder_.arrays().positions, options_.hidden,
                                time_, 1);
  int64_t next = 0;
  for (const Extension& row : group.rows) {
    CopyRow(decoder_.embedding(), row.token, values.row(next));
    positions.Add(time_, values.Rows(next++, 1));
  }
  Clear(Rest(values, next));
}

void TransformerStepDecoder::RunGroup(const Group& group) {
  const Matrix values = group.Of(values_);
  const TransformerBuffers buffers = buffers_.Rows(group.begin, group.count);
  const NormPlacement placement = options_.transformer.norm;
  Embed(group, values);
  Clear(group.Of(contexts_));
  Clear(group.Of(attention_weights()));
  for (size_t number = 0; number < decoder_.layers().size(); ++number) {
    const PackedTransformerLayer& layer = decoder_.layers()[number];
    Residual(placement, layer.arrays.self_norm, buffers, values,
             [&](ConstMatrix input, Matrix output) {
               if (options_.kind == DecoderKind::kSsru) {
                 Recur(number, group, input, output);
               } else {
                 SelfAttend(number, group, input, output);
               }
             });
    if (decoder_.has_attention()) {
      Residual(
          placement, layer.arrays.cross_norm, buffers, values,
          [&](ConstMatrix input, Matrix output) { AttendToSource(number, group, input, output); });
    }
    FeedForward(options_.transformer, layer, buffers, values);
  }
  NormalizeLast(options_.transformer, decoder_.arrays().norm, values);
  Score(values, group);
}

void TransformerStepDecoder::SelfAttend(size_t number, const Group& group, ConstMatrix input,
                                        Matrix output) {
  const PackedTransformerLayer& layer = decoder_.layers()[number];
  const TransformerAttentionArrays& arrays = layer.arrays.self_attention;
  const int64_t hidden = options_.hidden, heads = options_.transformer.heads, head = hidden / heads;
  const Matrix projected = group.Of(projected_);
  Multiply(input, layer.self, projected, layer.self_bias.view().data);
  if (rotary_) RotateStep(*rotary_, time_, projected.Columns(0, 2 * hidden));
  Scale(projected.Columns(0, hidden), 1 / std::sqrt(static_cast<float>(head)));

  const Matrix cached = group.Of(cache_.back()[number]);
  const Matrix contexts = group.Of(contexts_);
  std::vector<const float*> keys(static_cast<size_t>(time_ + 1));
  std::vector<const float*> keys_of_head(keys.size());
  std::vector<float> weights(keys.size());
  for (int64_t row = 0; row < static_cast<int64_t>(group.rows.size()); ++row) {
    Copy(projected.Rows(row, 1).Columns(hidden, 2 * hidden), cached.Rows(row, 1));
    const int32_t* const ancestors = ancestors_.data() + (group.begin + row) * time_;
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

void TransformerStepDecoder::Recur(size_t number, const Group& group, ConstMatrix input,
                                   Matrix output) {
  const PackedTransformerLayer& layer = decoder_.layers()[number];
  const int64_t hidden = options_.hidden;
  const Matrix projected = group.Of(projected_).Columns(0, 2 * hidden);
  Multiply(input, layer.self, projected, layer.self_bias.view().data);
  ConstMatrix before;
  if (time_ > 0) {
    const Matrix gathered = group.Of(contexts_);
    int64_t next = 0;
    for (const Extension& row : group.rows)
      Copy(cells_before_[number].view().Rows(row.parent, 1), gathered.Rows(next++, 1));
    Clear(Rest(gathered, next));
    before = gathered;
  }
  SsruStep({projected.Columns(0, hidden), projected.Columns(hidden, hidden)}, before,
           group.Of(cells_[number]), output);
}

void TransformerStepDecoder::AttendToSource(size_t number, const Group& group, ConstMatrix input,
                                            Matrix output) {
  const PackedTransformerLayer& layer = decoder_.layers()[number];
  const TransformerAttentionArrays& arrays = layer.arrays.cross_attention;
  const int64_t hidden = options_.hidden, heads = options_.transformer.heads, head = hidden / heads;
  const Matrix queries = group.Of(projected_).Columns(0, hidden);
  Multiply(input, layer.queries, queries, arrays.in_proj_bias.values<float>());
  Scale(queries, 1 / std::sqrt(static_cast<float>(head)));
  const Matrix contexts = group.Of(contexts_);
  const bool last = number + 1 == decoder_.layers().size();
  const float share = options_.aligned_head ? 1 : 1 / static_cast<float>(heads);
  std::vector<float> weights(static_cast<size_t>(longest()));
  int64_t next = 0;
  for (const Extension& extension : group.rows) {
    const int64_t row = next++;
    const int64_t length = SourceLength(extension);
    const Matrix source = memory_.layers[number].view().Rows(
        memory_.begins[static_cast<size_t>(extension.sentence)], length);
    float* const shown = attention_weights().view().row(group.begin + row);
    for (int64_t h = 0; h < heads; ++h) {
      const AttentionMemory memory = {source.Columns(h * head, head),
                                      source.Columns(hidden + h * head, head)};
      Attend(memory, queries.row(row) + h * head, weights.data(), contexts.row(row) + h * head);
      if (!last || (options_.aligned_head && h > 0)) continue;
      for (int64_t s = 0; s < length; ++s) shown[s] += share * weights[static_cast<size_t>(s)];
    }
  }
  Multiply(contexts, layer.cross_output, output, arrays.out_proj_bias.values<float>());
}

}  // namespace seq2seq
