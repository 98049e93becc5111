// Batches: pairs collated to padded tensors.
#ifndef SEQ2SEQ_DATA_BATCH_H_
#define SEQ2SEQ_DATA_BATCH_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include <torch/types.h>

#include "seq2seq/data/corpus.h"

namespace seq2seq {

// Pairs padded on the right with kPadId to the longest of them. All tensors but `images` are int64.
// A value: copies share the tensors.
struct Batch {
  torch::Tensor source;          // [batch, source], each sentence with eos at its end.
  torch::Tensor source_lengths;  // [batch], with eos, on the CPU.
  torch::Tensor target_input;    // [batch, target], bos and the sentence: the decoder input.
  torch::Tensor target_output;   // [batch, target], the sentence and eos: the reference.
  torch::Tensor target_lengths;  // [batch], with eos, on the CPU.
  int64_t target_tokens = 0;     // Tokens in target_output that are not padding.

  // For captions, whose `source` holds image numbers: pixels, [batch, 3, height, width], or
  // features, [batch, position, channels].
  torch::Tensor images;

  int64_t size() const { return images.defined() ? images.size(0) : source.size(0); }

  // The same batch with all but the lengths on `device`.
  Batch To(torch::Device device) const;
};

// The source side alone: fills source and source_lengths.
Batch CollateSources(absl::Span<const absl::Span<const int32_t>> sources);

// A batch of examples, in their order.
Batch Collate(absl::Span<const Example> examples);

// Reads the images with these numbers. With a seed each is augmented at random, as in training.
using ImageReader =
    std::function<torch::Tensor(absl::Span<const int64_t> images, std::optional<uint64_t> seed)>;

// A batch of captions, with their images unless `read` is empty.
Batch Collate(absl::Span<const Example> examples, const ImageReader& read,
              std::optional<uint64_t> seed);

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_BATCH_H_
