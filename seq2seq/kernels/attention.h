// Attention, one query at a time: dot-product (Luong et al. 2015) and additive (Bahdanau et al.
// 2015).
#ifndef SEQ2SEQ_KERNELS_ATTENTION_H_
#define SEQ2SEQ_KERNELS_ATTENTION_H_

#include <cstdint>

#include "absl/types/span.h"

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// Keys and values of one source sentence, a row per token, without padding.
struct AttentionMemory {
  ConstMatrix keys;    // [source, hidden]
  ConstMatrix values;  // [source, memory]
};

// scores = keys query, [source].
void DotScores(ConstMatrix keys, const float* query, float* scores);

// What additive attention takes from earlier attention weights: features of each source position,
// and their weights.
struct PastFeatures {
  ConstMatrix features;  // [source, feature]
  ConstMatrix weights;   // [feature, hidden]
};

// scores = energy' tanh(keys + query + features weights), [source]; `energy` and `query` [hidden].
void AdditiveScores(ConstMatrix keys, const float* query, const PastFeatures& past,
                    const float* energy, float* scores);

// weights = softmax(weights), [source], of scores; context = weights' values, [memory].
void SoftmaxMean(ConstMatrix values, float* weights, float* context);

// DotScores and SoftmaxMean in one.
void Attend(const AttentionMemory& source, const float* query, float* weights, float* context);

// The same where the keys, of `size` values, stand in places of their own, and each value
// `value_offset` floats behind its key; weights [source], context [size].
void AttendInPlaces(absl::Span<const float* const> keys, int64_t value_offset, int64_t size,
                    const float* query, float* weights, float* context);

// What a loss depends on.
struct AttentionOutputGradient {
  const float* context = nullptr;  // [memory]
  const float* weights = nullptr;  // [source], of the attention weights besides; null for zero.
};

// Backward pass: sets `score_gradient`, [source], to the gradient of the scores, keys query, and
// adds that of the query to `query_gradient`.
void AttendBackward(const AttentionMemory& source, const float* weights,
                    const AttentionOutputGradient& output_gradient, float* score_gradient,
                    float* query_gradient);

// What the gradients of additive attention are added to.
struct AdditiveGradients {
  float* query = nullptr;            // [hidden]
  float* energy = nullptr;           // [hidden]
  Matrix keys;                       // [source, hidden]
  float* features = nullptr;         // [source], with a past feature.
  float* feature_weights = nullptr;  // [hidden], likewise.
};

// The same for additive attention: sets `score_gradient`, and adds to `gradients`. `past` has at
// most one feature.
void AdditiveBackward(const AttentionMemory& source, const float* query, const PastFeatures& past,
                      const float* energy, const float* weights,
                      const AttentionOutputGradient& output_gradient, float* score_gradient,
                      const AdditiveGradients& gradients);

// sum = left' right, for small matrices: left [k, m], right [k, n], sum [m, n].
void SumOfOuterProducts(ConstMatrix left, ConstMatrix right, Matrix sum);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_ATTENTION_H_
