// Multi-head scaled dot-product attention over whole sequences (Vaswani et al. 2017).
#ifndef SEQ2SEQ_KERNELS_MULTI_HEAD_ATTENTION_H_
#define SEQ2SEQ_KERNELS_MULTI_HEAD_ATTENTION_H_

#include <cstdint>

#include "seq2seq/kernels/matrix.h"
#include "seq2seq/kernels/sequence_rows.h"

namespace seq2seq {

// For each sentence and head, of d = size / heads neighbouring columns:
//
//   weights = softmax(queries keys' / sqrt(d)),  output = dropout(weights) values
//
//   const Matrix qkv = …;  // [row, 3 size], one projection.
//   MultiHeadAttention(rows, rows, {qkv.Columns(0, size), qkv.Columns(size, size),
//                                   qkv.Columns(2 * size, size)}, {.heads = 4}, output, {});
//
// Uses all threads, a sentence and head each. Values depend neither on their number nor on the
// other sentences of the batch, except for the choice of what is dropped, which is a function of
// seed, row, head and key. A thread's buffers take some 4 (2 d + 48) bytes for each key of a
// sentence.

struct MultiHeadOptions {
  int64_t heads = 1;    // A divisor of the size.
  bool causal = false;  // Position i attends to positions 0 … i; of self-attention only.
  double dropout = 0;   // Rate of the attention weights that become zero.
  uint64_t seed = 0;    // Of dropout; the same in the backward pass.
};

// Views, which may be columns of one matrix.
struct MultiHeadInput {
  ConstMatrix queries;  // [query row, size]
  ConstMatrix keys;     // [key row, size]
  ConstMatrix values;   // [key row, size]
};

struct MultiHeadGradient {
  Matrix queries;
  Matrix keys;
  Matrix values;
};

// Sets `output`, [query row, size], zero past the last token, and, unless that is empty,
// `log_sums`, [query row, heads], to the logarithm of the softmax's denominator, which the backward
// pass needs. A query whose sentence has no keys gets zeros.
void MultiHeadAttention(const SequenceRows& query_rows, const SequenceRows& key_rows,
                        const MultiHeadInput& input, const MultiHeadOptions& options, Matrix output,
                        Matrix log_sums);

// Sets `gradient`, zero past the last token, given that of the output, [query row, size]. Computes
// the weights anew, as Dao et al. 2022: memory stays linear in the length of a sentence.
void MultiHeadAttentionBackward(const SequenceRows& query_rows, const SequenceRows& key_rows,
                                const MultiHeadInput& input, const MultiHeadOptions& options,
                                ConstMatrix log_sums, ConstMatrix output_gradient,
                                const MultiHeadGradient& gradient);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_MULTI_HEAD_ATTENTION_H_
