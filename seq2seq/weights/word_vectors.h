// Pretrained word vectors as initial embeddings.
#ifndef SEQ2SEQ_WEIGHTS_WORD_VECTORS_H_
#define SEQ2SEQ_WEIGHTS_WORD_VECTORS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// How much of a vocabulary a file of vectors covers.
struct VectorCoverage {
  int64_t found = 0;     // Subwords that got a vector.
  int64_t subwords = 0;  // Subwords that are words.
  int64_t words = 0;     // Words in the file.
};

// Fills the rows of `weight`, [vocab, size] with a row per subword, whose subwords are words in a
// text file of vectors, in the format of word2vec and GloVe: a word and its numbers on each line,
// separated by spaces, with an optional first line of two counts; plain or compressed. A subword is
// a word if it begins one, "▁dog", or, in vocabularies of words, as it is. Other rows keep their
// values.
//
// Words may contain spaces, except the first one. InvalidArgument, naming file and line, if a line
// does not end with `size` numbers. Costs one pass over the file.
absl::StatusOr<VectorCoverage> LoadWordVectors(const std::string& path,
                                               absl::Span<const std::string> subwords,
                                               Matrix weight);

}  // namespace seq2seq

#endif  // SEQ2SEQ_WEIGHTS_WORD_VECTORS_H_
