// Log-sum-exp, the normaliser of log-probabilities.
#ifndef SEQ2SEQ_KERNELS_LOG_SUM_EXP_H_
#define SEQ2SEQ_KERNELS_LOG_SUM_EXP_H_

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// out[row] = log of the sum of e^score over the row; score - out[row] is a log-probability. One
// thread.
void LogSumExp(ConstMatrix scores, float* out);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_LOG_SUM_EXP_H_
