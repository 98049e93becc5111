#include "seq2seq/inference/attention.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "seq2seq/inference/packed_weights.h"

namespace seq2seq {
namespace {

// Keys and values with a view for each sentence.
BatchMemory Memory(const EncoderOutput& sources, Buffer keys, Buffer values) {
  BatchMemory memory = {std::move(keys), std::move(values), {}};
  for (int64_t sentence = 0; sentence < sources.batch(); ++sentence) {
    memory.sentences.push_back(
        {sources.Of(sentence, memory.keys), sources.Of(sentence, memory.values)});
  }
  return memory;
}

// The encoder output times `weight`, plus `bias` unless that is null.
Buffer Projected(const EncoderOutput& sources, const PackedMatrix& weight,
                 const float* bias = nullptr) {
  Buffer rows(sources.values.view().rows, weight.columns());
  Multiply(sources.values.view(), weight, rows.view(), bias);
  return rows;
}

// The transpose of a weight [output, input].
Buffer Transposed(const Array& weight) {
  const ConstMatrix from = weight.matrix();
  Buffer to(from.columns, from.rows);
  for (int64_t row = 0; row < from.rows; ++row) {
    for (int64_t column = 0; column < from.columns; ++column)
      to.view().row(column)[row] = from.row(row)[column];
  }
  return to;
}

// Multiplicative and dot-product attention.
class DotInferenceAttention : public InferenceAttention {
 public:
  DotInferenceAttention(PackedMatrix projection, double scale)
      : InferenceAttention({}),
        projection_(std::move(projection)),
        scale_(static_cast<float>(scale)) {}

  BatchMemory Memorize(const EncoderOutput& sources) const override {
    if (projection_.columns() > 0)
      return Memory(sources, Projected(sources, projection_), sources.values);
    if (scale_ == 1) return Memory(sources, sources.values, sources.values);
    const Matrix values = sources.values.view();
    const Buffer keys(values.rows, values.columns);
    Copy(values, keys.view());
    Scale(keys.view(), scale_);
    return Memory(sources, keys, sources.values);
  }

  void Attend(const AttentionMemory& source, const float* query, const float*, float* weights,
              float* context) const override {
    seq2seq::Attend(source, query, weights, context);
  }

  int64_t packed_bytes() const override { return projection_.bytes(); }

 private:
  const PackedMatrix projection_;  // Empty where the values are the keys.
  const float scale_;
};

// Additive attention, with what coverage and location-aware attention add to it.
class AdditiveInferenceAttention : public InferenceAttention {
 public:
  AdditiveInferenceAttention(AttentionKind kind, AttentionArrays& arrays, Precision precision)
      : InferenceAttention(PackAndDrop(arrays.query_projection, precision)),
        kind_(kind),
        keys_(PackAndDrop(arrays.key_projection, precision)),
        arrays_(arrays) {
    if (kind == AttentionKind::kCoverage) past_weights_ = Transposed(arrays.coverage);
    if (kind == AttentionKind::kLocation) past_weights_ = Transposed(arrays.location);
  }

  BatchMemory Memorize(const EncoderOutput& sources) const override {
    return Memory(sources, Projected(sources, keys_, arrays_.key_projection_bias.values<float>()),
                  sources.values);
  }

  void Attend(const AttentionMemory& source, const float* query, const float* past, float* weights,
              float* context) const override {
    const int64_t size = source.keys.rows;
    PastFeatures features;
    Buffer filtered;
    if (kind_ == AttentionKind::kCoverage) {
      features = {{past, size, 1, 1}, past_weights_.view()};
    } else if (kind_ == AttentionKind::kLocation) {
      filtered = Filtered(past, size);
      features = {filtered.view(), past_weights_.view()};
    }
    AdditiveScores(source.keys, query, features, arrays_.energy.values<float>(), weights);
    SoftmaxMean(source.values, weights, context);
  }

  void UpdatePast(const float* weights, int64_t source, float* past) const override {
    if (kind_ == AttentionKind::kLocation) {
      std::copy_n(weights, source, past);
    } else if (kind_ == AttentionKind::kCoverage) {
      for (int64_t s = 0; s < source; ++s) past[s] += weights[s];
    }
  }

  int64_t packed_bytes() const override {
    return InferenceAttention::packed_bytes() + keys_.bytes();
  }

 private:
  // The convolution of attention weights with the filters, [source, filter].
  Buffer Filtered(const float* past, int64_t source) const {
    const float* filters = arrays_.filters.values<float>();
    const Buffer features(source, kLocationFilters);
    for (int64_t s = 0; s < source; ++s) {
      float* feature = features.view().row(s);
      const int64_t first = s - kLocationFilterWidth / 2;
      const int64_t begin = std::max<int64_t>(0, -first);
      const int64_t end = std::min(kLocationFilterWidth, source - first);
      for (int64_t f = 0; f < kLocationFilters; ++f) {
        const float* filter = filters + f * kLocationFilterWidth;
        feature[f] = 0;
        for (int64_t i = begin; i < end; ++i) feature[f] += filter[i] * past[first + i];
      }
    }
    return features;
  }

  const AttentionKind kind_;
  const PackedMatrix keys_;
  const AttentionArrays arrays_;
  Buffer past_weights_;  // [feature, hidden]
};

class MultiHeadInferenceAttention : public InferenceAttention {
 public:
  MultiHeadInferenceAttention(int64_t heads, AttentionArrays& arrays, Precision precision)
      : InferenceAttention(PackAndDrop(arrays.query_projection, precision)),
        heads_(heads),
        keys_(PackAndDrop(arrays.key_projection, precision)),
        values_(PackAndDrop(arrays.value_projection, precision)) {}

  BatchMemory Memorize(const EncoderOutput& sources) const override {
    const Buffer keys = Projected(sources, keys_);
    Scale(keys.view(), 1 / std::sqrt(static_cast<float>(keys_.columns() / heads_)));
    return Memory(sources, keys, Projected(sources, values_));
  }

  void Attend(const AttentionMemory& source, const float* query, const float*, float* weights,
              float* context) const override {
    const int64_t size = source.keys.rows;
    const int64_t width = source.keys.columns / heads_;
    const Buffer of_head(1, size);
    float* const scores = of_head.view().data;
    std::fill_n(weights, size, 0.0f);
    for (int64_t head = 0; head < heads_; ++head) {
      const int64_t first = head * width;
      DotScores(source.keys.Columns(first, width), query + first, scores);
      SoftmaxMean(source.values.Columns(first, width), scores, context + first);
      for (int64_t s = 0; s < size; ++s) weights[s] += scores[s] / static_cast<float>(heads_);
    }
  }

  int64_t packed_bytes() const override {
    return InferenceAttention::packed_bytes() + keys_.bytes() + values_.bytes();
  }

 private:
  const int64_t heads_;
  const PackedMatrix keys_, values_;
};

// The context is empty, and the attention weights are uniform.
class NoInferenceAttention : public InferenceAttention {
 public:
  NoInferenceAttention() : InferenceAttention({}) {}

  BatchMemory Memorize(const EncoderOutput& sources) const override {
    return Memory(sources, sources.values, sources.values);
  }

  void Attend(const AttentionMemory& source, const float*, const float*, float* weights,
              float*) const override {
    std::fill_n(weights, source.keys.rows, 1 / static_cast<float>(source.keys.rows));
  }
};

}  // namespace

std::unique_ptr<const InferenceAttention> MakeInferenceAttention(const DecoderOptions& options,
                                                                 int64_t memory,
                                                                 AttentionArrays& arrays,
                                                                 Precision precision) {
  switch (options.attention) {
    case AttentionKind::kGeneral:
    case AttentionKind::kDot:
    case AttentionKind::kScaledDot:
      return std::make_unique<DotInferenceAttention>(PackAndDrop(arrays.projection, precision),
                                                     KeyScale(options.attention, memory));
    case AttentionKind::kMlp:
    case AttentionKind::kCoverage:
    case AttentionKind::kLocation:
      return std::make_unique<AdditiveInferenceAttention>(options.attention, arrays, precision);
    case AttentionKind::kMultiHead:
      return std::make_unique<MultiHeadInferenceAttention>(options.attention_heads, arrays,
                                                           precision);
    case AttentionKind::kNone:
      return std::make_unique<NoInferenceAttention>();
  }
  return nullptr;  // Not one of the kinds.
}

}  // namespace seq2seq
