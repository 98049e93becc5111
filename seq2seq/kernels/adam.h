// Adam and AdamW updates, in one pass over memory.
#ifndef SEQ2SEQ_KERNELS_ADAM_H_
#define SEQ2SEQ_KERNELS_ADAM_H_

#include <cstdint>

namespace seq2seq {

// Parameters of one update (Kingma & Ba 2015; decoupled weight decay, Loshchilov & Hutter 2019).
struct AdamUpdate {
  float rate = 0;  // Learning rate, divided by the bias correction of the first moment.
  float beta1 = 0;
  float beta2 = 0;
  float epsilon = 0;
  float square_correction = 1;  // Bias correction of the second moment, which is divided by it.
  float decay = 0;              // Weight decay: the fraction by which weights shrink.
  float gradient_scale = 1;     // From gradient clipping.
};

// Updates `size` weights and their first and second moments, `mean` and `square`, in place; a null
// gradient stands for zeros. One thread.
void AdamStep(const AdamUpdate& update, const float* gradient, int64_t size, float* weight,
              float* mean, float* square);

// The sum of squares, in double. One thread.
double SumOfSquares(const float* values, int64_t size);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_ADAM_H_
