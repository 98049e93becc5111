// Batches in parts that fit into memory.
#ifndef SEQ2SEQ_DATA_SPLIT_BATCH_H_
#define SEQ2SEQ_DATA_SPLIT_BATCH_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "seq2seq/data/batch.h"

namespace seq2seq {

// The size of a batch: its rows, and the lengths that they are padded to.
struct BatchShape {
  int64_t rows = 0;
  int64_t source = 0;
  int64_t target = 0;
};

BatchShape ShapeOf(const Batch& batch);

// The estimated bytes that a pass over a batch takes; no less for a larger one.
using BatchCost = std::function<double(const BatchShape&)>;

// `batch` in the fewest parts, of as equal numbers of rows as can be and padded to their own
// longest, of which each costs at most `bound`; rows that cost more by themselves are a part each.
// The rows stay in their order. A pure function of the batch's lengths, cost and bound. Parts
// share the images and lengths of `batch`; a batch that fits is returned as it is.
std::vector<Batch> SplitBatch(const Batch& batch, const BatchCost& cost, double bound);

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_SPLIT_BATCH_H_
