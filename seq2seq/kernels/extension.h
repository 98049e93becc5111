// Row of a time step of search: a hypothesis and its next token.
#ifndef SEQ2SEQ_KERNELS_EXTENSION_H_
#define SEQ2SEQ_KERNELS_EXTENSION_H_

#include <cstdint>

namespace seq2seq {

// The hypothesis of a row of the last time step, and one more token. In the first time step, which
// has no rows before it, `parent` is the sentence and `token` the beginning of sentence.
struct Extension {
  int64_t parent = 0;    // The row that it extends.
  int64_t sentence = 0;  // The sentence of the row.
  int32_t token = 0;     // The input of the decoder.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_EXTENSION_H_
