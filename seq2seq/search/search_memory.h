// Estimates of the memory that searching a batch takes.
#ifndef SEQ2SEQ_SEARCH_SEARCH_MEMORY_H_
#define SEQ2SEQ_SEARCH_SEARCH_MEMORY_H_

#include <cstdint>

#include "seq2seq/model/model.h"

namespace seq2seq {

// What is searched at once.
struct SearchShape {
  int64_t sentences = 1;
  int64_t source = 0;      // Of the longest, in subwords with eos; does not count for images.
  int64_t hypotheses = 1;  // Of a sentence: beam, or samples.
  int64_t steps = 0;       // Whose attention weights are kept: the longest target, or 0.
};

// The bytes that a model of `options` takes for a batch, beyond its weights; by the kernels
// (`packed`), where they lie within a few percent, or in LibTorch's operations, where they are
// rather too many. A pure function; grows in proportion to the sentences.
double SearchBytes(const ModelOptions& options, const SearchShape& shape, bool packed);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SEARCH_MEMORY_H_
