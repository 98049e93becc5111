// Dropout rates of one kind that default to the general rate.
#ifndef SEQ2SEQ_INFERENCE_DROPOUT_RATE_H_
#define SEQ2SEQ_INFERENCE_DROPOUT_RATE_H_

namespace seq2seq {

// The dropout rate `specific` of one kind, or the general rate `all` if `specific` is -1.
inline double DropoutOf(double specific, double all) { return specific == -1 ? all : specific; }

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_DROPOUT_RATE_H_
