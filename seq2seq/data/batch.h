// Batches: pairs collated to padded tensors.
#ifndef SEQ2SEQ_DATA_BATCH_H_
#define SEQ2SEQ_DATA_BATCH_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include <torch/types.h>

#include "seq2seq/align/word_aligner.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/noise.h"
#include "seq2seq/source/source.h"

namespace seq2seq {

// Pairs padded on the right with kPadId to the longest of them. All tensors but `values` are int64.
// A value: copies share the tensors.
//
// Of masked language models the target is the subwords to predict, without bos and eos:
// target_input holds their positions in the source, and target_output the subwords themselves.
struct Batch {
  torch::Tensor source;          // [batch, source], each sentence with eos at its end.
  torch::Tensor source_lengths;  // [batch], with eos, on the CPU.
  torch::Tensor target_input;    // [batch, target], bos and the sentence: the decoder input.
  torch::Tensor target_output;   // [batch, target], the sentence and eos: the reference.
  torch::Tensor target_lengths;  // [batch], with eos, on the CPU.
  int64_t target_tokens = 0;     // Tokens in target_output that are not padding.

  // Targets of each source, which follow each other: those tensors have as many rows for each.
  int64_t targets_per_source = 1;
  torch::Tensor target_weights;  // [batch], factors of the loss of each target; undefined for 1.

  // [batch, target, source], for guided alignment: of each target token the source tokens that it
  // is aligned to, with shares that sum to 1, or all 0. Undefined for none.
  torch::Tensor alignment;

  // Of images, pixels or features: [batch, 3, height, width] or [batch, position, channels]. In
  // batches of captions `source` then holds the numbers of the images.
  torch::Tensor values;

  // Number of sources.
  int64_t size() const { return values.defined() ? values.size(0) : source.size(0); }

  // The source of each target.
  torch::Tensor SourcesOfTargets() const {
    return targets_per_source == 1 ? source : source.repeat_interleave(targets_per_source, 0);
  }

  // The same batch with all but the lengths on `device`.
  Batch To(torch::Device device) const;
};

// The source side alone, of at least one input, all of the same kind of source and loaded. Text
// fills source and source_lengths; no source does, too, with empty sentences; images fill values,
// and source_lengths, their positions, if those are features. Throws if images differ in shape.
Batch CollateSources(absl::Span<const SourceInput* const> inputs);

// A batch of examples, in their order.
Batch Collate(absl::Span<const Example> examples);

// A batch for pretraining: the targets of `examples`, which have no sources, each corrupted with
// the seed at its place.
Batch Collate(absl::Span<const Example> examples, const Noise& noise,
              absl::Span<const uint64_t> seeds);

// Batch::alignment of a batch of examples by the links of `aligner`; end of sentence is aligned to
// end of sentence.
torch::Tensor CollateAlignments(absl::Span<const Example> examples, const WordAligner& aligner);

// Reads the images with these numbers. With a seed each is augmented at random, as in training.
using ImageReader =
    std::function<torch::Tensor(absl::Span<const int64_t> images, std::optional<uint64_t> seed)>;

// A batch of captions, with their images unless `read` is empty.
Batch Collate(absl::Span<const Example> examples, const ImageReader& read,
              std::optional<uint64_t> seed);

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_BATCH_H_
