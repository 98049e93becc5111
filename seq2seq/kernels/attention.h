// Looking back at a source, query by query.
#ifndef SEQ2SEQ_KERNELS_ATTENTION_H_
#define SEQ2SEQ_KERNELS_ATTENTION_H_

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// What one sentence offers, a row a token, padding left away.
struct Source {
  ConstMatrix keys;    // [source, hidden]
  ConstMatrix values;  // [source, memory]
};

// weights = softmax(keys query), [source]; context = weights' values, [memory].
void Attend(const Source& source, const float* query, float* weights, float* context);

// Given the gradient of the context: `score_gradient`, [source], becomes that of keys query, and
// that of the query is added to `query_gradient`.
void AttendBackward(const Source& source, const float* weights, const float* context_gradient,
                    float* score_gradient, float* query_gradient);

// sum = left' right, a small product: left [k, m], right [k, n], sum [m, n].
void SumOfOuterProducts(ConstMatrix left, ConstMatrix right, Matrix sum);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_ATTENTION_H_
