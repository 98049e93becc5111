// Embeddings learnt elsewhere.
#ifndef SEQ2SEQ_MODEL_WORD_VECTORS_H_
#define SEQ2SEQ_MODEL_WORD_VECTORS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include <torch/types.h>

namespace seq2seq {

// How much of a vocabulary a file of vectors knows.
struct VectorCoverage {
  int64_t found = 0;   // Pieces that got a vector.
  int64_t pieces = 0;  // That might have.
  int64_t words = 0;   // In the file.
};

// Fills the rows of `weight`, [pieces, size], whose pieces are words of a text file of vectors, as
// word2vec and GloVe write them: a word and its numbers on each line, parted by spaces, and maybe a
// first line of two counts; plain or gzip. A piece is a word where it begins one, "▁dog", or, in
// vocabularies of words, as it is. Other rows keep their values.
//
// Words may have spaces in them, but that of the first entry. InvalidArgument, naming file and
// line, where a line does not end with `size` numbers. Costs one pass over the file.
absl::StatusOr<VectorCoverage> LoadWordVectors(const std::string& path,
                                               absl::Span<const std::string> pieces,
                                               torch::Tensor weight);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_WORD_VECTORS_H_
