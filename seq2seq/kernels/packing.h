// Packing of matrices into the order in which matrix products read them.
#ifndef SEQ2SEQ_KERNELS_PACKING_H_
#define SEQ2SEQ_KERNELS_PACKING_H_

#include <cstdint>

namespace seq2seq {

// Units are 32 bits, as in product_kernel.h. Both write [steps, width]. One thread.

// Transposes `count` <= `width` rows of `steps` units, `stride` units from row to row, each unit
// with the bits of `flip` inverted; columns from `count` to `width` become zero.
void PackRows(const uint32_t* rows, int64_t stride, int64_t count, int64_t steps, int64_t width,
              uint32_t flip, uint32_t* packed);

// Copies `count` <= `width` columns of `steps` rows of floats, `stride` from row to row; columns
// from `count` to `width` become zero.
void PackColumns(const float* rows, int64_t stride, int64_t count, int64_t steps, int64_t width,
                 uint32_t* packed);

// The same for `inner` rows of bfloat16; a step is two rows, the first in the lower half of a unit,
// the last alone if `inner` is odd.
void PackPairsOfColumns(const uint16_t* rows, int64_t stride, int64_t count, int64_t inner,
                        int64_t width, uint32_t* packed);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_PACKING_H_
