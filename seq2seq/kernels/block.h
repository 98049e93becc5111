// Large pieces of memory that are used again.
#ifndef SEQ2SEQ_KERNELS_BLOCK_H_
#define SEQ2SEQ_KERNELS_BLOCK_H_

#include <cstddef>
#include <memory>

namespace seq2seq {

// Memory for `bytes`, undefined, aligned to cache lines, for as long as somebody holds it. Updates
// need much the same pieces again and again, and fresh memory costs a page fault for every 4 KB: so
// pieces that are let go are kept for the next that are about as large, as far as that does not
// raise the peak. Thread-safe. Throws std::bad_alloc.
std::shared_ptr<void> AllocateBlock(size_t bytes);

// The most bytes of blocks that were held at once since ResetPeakBlockBytes, which returns those
// that are held now. Thread-safe.
size_t PeakBlockBytes();
size_t ResetPeakBlockBytes();

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_BLOCK_H_
