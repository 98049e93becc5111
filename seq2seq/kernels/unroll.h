// Unrolling of loops over arrays of vectors.
#ifndef SEQ2SEQ_KERNELS_UNROLL_H_
#define SEQ2SEQ_KERNELS_UNROLL_H_

// Before a loop with a constant number of steps. The sums of a tile are an array, which stays in
// registers only where each loop over it is unrolled.
#define SEQ2SEQ_UNROLL _Pragma("GCC unroll 32")

#endif  // SEQ2SEQ_KERNELS_UNROLL_H_
