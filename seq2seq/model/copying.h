// Copying of source subwords, the pointer-generator (See et al. 2017): with the probability of
// copying k, attention weights a and the output layer's probabilities q,
//
//   p(w) = (1 - k) q(w) + k (the sum of a over the source positions that hold w).
#ifndef SEQ2SEQ_MODEL_COPYING_H_
#define SEQ2SEQ_MODEL_COPYING_H_

#include <torch/types.h>

namespace seq2seq {

// The logarithm of the attention that `tokens`, [batch, target], get from the source positions that
// hold them: [batch, target]; very low where none does. `log_attention` is [batch, target, source],
// `source` [batch, source]. Holds as many values as the attention.
torch::Tensor LogAttentionTo(const torch::Tensor& tokens, const torch::Tensor& log_attention,
                             const torch::Tensor& source);

// Logits of p, [row, vocab], from those of the output layer, the log-odds of copying, [row], the
// attention weights and the source of each row, [row, source]. Holds the logits several times.
torch::Tensor AddCopies(const torch::Tensor& logits, const torch::Tensor& copy_logits,
                        const torch::Tensor& attention, const torch::Tensor& source);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_COPYING_H_
