// Estimates of the memory of searching a batch.
#ifndef SEQ2SEQ_SEARCH_SEARCH_MEMORY_H_
#define SEQ2SEQ_SEARCH_SEARCH_MEMORY_H_

#include <cstdint>

#include "seq2seq/inference/model_options.h"

namespace seq2seq {

// The size of a batch.
struct SearchShape {
  int64_t sentences = 1;
  int64_t source = 0;      // Of the longest sentence, in subwords with eos; ignored for images.
  int64_t hypotheses = 1;  // Per sentence: beam size, or number of samples.
  int64_t steps = 0;       // Time steps, of the longest target.
  bool attention = false;  // Whether the attention weights of all time steps are kept.
};

// The bytes that a model of `options` takes for a batch, beyond its weights: with the kernels
// (`packed`) accurate to a few percent, with LibTorch operations rather an overestimate. A pure
// function.
double SearchBytes(const ModelOptions& options, const SearchShape& shape, bool packed);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SEARCH_MEMORY_H_
