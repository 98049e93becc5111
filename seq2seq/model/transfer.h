// Weights of one model as the first ones of another.
#ifndef SEQ2SEQ_MODEL_TRANSFER_H_
#define SEQ2SEQ_MODEL_TRANSFER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/model/weights.h"

namespace seq2seq {

// The pieces of a model's vocabularies; empty where a source is no text.
struct Vocabularies {
  std::vector<std::string> source;
  std::vector<std::string> target;
};

// What became of the tensors of both models, by name.
struct TransferReport {
  std::vector<std::string> taken;
  std::vector<std::string> taken_in_part;  // "decoder.embedding.weight (5120 of 8000 pieces)"
  std::vector<std::string> misfits;        // Of another shape in each.
  std::vector<std::string> missing;        // The new model's alone: they keep their first values.
  std::vector<std::string> unused;         // The old model's alone.

  // A line for each kind that there is, for people.
  std::vector<std::string> Lines() const;
};

// Copies the tensors of `from` into those of `to` that have the same name and shape. Embeddings and
// the output layer, a row for each piece, are copied row by row, to where the new vocabulary has
// the piece.
TransferReport TransferWeights(const TensorMap& from, const Vocabularies& from_pieces, TensorMap to,
                               const Vocabularies& to_pieces);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_TRANSFER_H_
