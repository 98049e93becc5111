// Caching allocator for large blocks of memory.
#ifndef SEQ2SEQ_KERNELS_CACHING_ALLOCATOR_H_
#define SEQ2SEQ_KERNELS_CACHING_ALLOCATOR_H_

#include <cstddef>
#include <memory>

namespace seq2seq {

// Allocates `bytes`, uninitialised and aligned to cache lines; freed with the last reference.
// Updates need blocks of much the same sizes again and again, and fresh memory costs a page fault
// for every 4 KB: so freed blocks are cached and reused for similar sizes, as far as that does not
// raise the peak. Thread-safe. Throws std::bad_alloc.
std::shared_ptr<void> AllocateBlock(size_t bytes);

// The most bytes of blocks in use at once since ResetPeakBlockBytes, which returns the bytes in use
// now. Thread-safe.
size_t PeakBlockBytes();
size_t ResetPeakBlockBytes();

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_CACHING_ALLOCATOR_H_
