// One update of Adam, in one pass over memory.
#ifndef SEQ2SEQ_KERNELS_ADAM_H_
#define SEQ2SEQ_KERNELS_ADAM_H_

#include <cstdint>

namespace seq2seq {

// Values of one update (Kingma & Ba 2015; the decay as in Loshchilov & Hutter 2019).
struct AdamUpdate {
  float rate = 0;  // Divided by the bias correction of the mean.
  float beta1 = 0;
  float beta2 = 0;
  float epsilon = 0;
  float square_correction = 1;  // The square is divided by it, under the root.
  float decay = 0;              // Weights shrink by this share.
  float gradient_scale = 1;     // Clipping.
};

// Updates `size` weights with their means and squares in place; a null gradient stands for zeros.
// One thread.
void AdamStep(const AdamUpdate& update, const float* gradient, int64_t size, float* weight,
              float* mean, float* square);

// The sum of squares, in double. One thread.
double SumOfSquares(const float* values, int64_t size);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_ADAM_H_
