// Transfer of weights: initialises a model from the weights of another.
#ifndef SEQ2SEQ_WEIGHTS_TRANSFER_H_
#define SEQ2SEQ_WEIGHTS_TRANSFER_H_

#include <string>
#include <vector>

#include "seq2seq/weights/array.h"

namespace seq2seq {

// The subwords of a model's vocabularies; `source` is empty unless sources are text.
struct Vocabularies {
  std::vector<std::string> source;
  std::vector<std::string> target;
};

// The outcome of a transfer, as names of tensors.
struct TransferReport {
  std::vector<std::string> taken;
  std::vector<std::string> taken_in_part;  // "decoder.embedding.weight (5120 of 8000 subwords)"
  std::vector<std::string> misfits;        // Of different shapes.
  std::vector<std::string> missing;  // In the new model alone: they keep their initial values.
  std::vector<std::string> unused;   // In the old model alone.

  // A line for each kind that occurs, to be logged.
  std::vector<std::string> Lines() const;
};

// Copies the tensors of `from`, converted to fp32, into those of `to`, which must be in
// fp32, that have the same name and shape. Embeddings and the output layer have a
// row per subword: where vocabularies differ, the rows of the subwords that are in both are copied.
TransferReport TransferWeights(const ArrayMap& from, const Vocabularies& from_subwords,
                               const ArrayMap& to, const Vocabularies& to_subwords);

}  // namespace seq2seq

#endif  // SEQ2SEQ_WEIGHTS_TRANSFER_H_
