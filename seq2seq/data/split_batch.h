// Splitting of batches into parts that fit into memory.
#ifndef SEQ2SEQ_DATA_SPLIT_BATCH_H_
#define SEQ2SEQ_DATA_SPLIT_BATCH_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "seq2seq/data/batch.h"

namespace seq2seq {

// The size of a batch: its rows, one for each target, and the lengths that they are padded to.
struct BatchShape {
  int64_t rows = 0;
  int64_t source = 0;
  int64_t target = 0;
};

BatchShape ShapeOf(const Batch& batch);

// The estimated bytes of a forward and backward pass over a batch; monotonic in its shape.
using BatchCost = std::function<double(const BatchShape&)>;

// Splits `batch` into the fewest parts, of row counts as equal as possible, each padded to its own
// longest sentence, that cost at most `bound` each; sources that cost more alone are a part each.
// The rows stay in order. A pure function of the batch's lengths, cost and bound. Parts share the
// values and lengths of `batch`; a batch that fits is returned as it is.
std::vector<Batch> SplitBatch(const Batch& batch, const BatchCost& cost, double bound);

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_SPLIT_BATCH_H_
