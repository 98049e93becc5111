// Recurrent decoder with attention, one time step at a time and without gradients, for search.
// Whole target sequences, as in training, are in decoder.h; both agree.
#ifndef SEQ2SEQ_KERNELS_DECODER_STEP_H_
#define SEQ2SEQ_KERNELS_DECODER_STEP_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/kernels/attention.h"
#include "seq2seq/kernels/decoder.h"
#include "seq2seq/kernels/extension.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/kernels/recurrent.h"

namespace seq2seq {

// A decoder with packed weights. A value; the caller owns what `weights` point to.
struct PackedDecoder {
  PackedDecoder(CellKind kind, const DecoderWeights& weights, Precision precision);

  ConstMatrix embedding;  // [vocab, embedding]
  std::vector<PackedCell>
      cells;  // Input of the first: embedding, then the attentional state with input feeding.
  PackedMatrix attentional;  // [context + hidden, attentional]

  bool input_feeding() const { return cells[0].input.rows() > embedding.columns; }
};

// The output layer with packed weights.
struct PackedOutput {
  PackedMatrix weight;  // [attentional, vocab]
  Buffer bias;          // [1, vocab]
};

// The decoder state of hypotheses, a row each.
struct DecoderRows {
  // `rows` uninitialised rows for `decoder`.
  DecoderRows(const PackedDecoder& decoder, int64_t rows);

  std::vector<Buffer> hidden;      // One per layer, [row, hidden].
  std::vector<Buffer> cell_state;  // Likewise; empty for cells without one.
  Buffer attentional_state;        // [row, attentional]
};

// Extends hypotheses by one time step at a time, in buffers that it reuses. Not thread-safe; the
// decoder, the output layer and the sources must outlive it.
class DecoderStepper {
 public:
  // Starts with a row for each source.
  DecoderStepper(const PackedDecoder& decoder, const PackedOutput& output, DecoderRows start,
                 absl::Span<const AttentionMemory> sources);

  // One time step: a row for each of `rows`, which may be fewer or more than before; the sentence
  // of a row is the index of its source. Rows are divided among the threads; if there are few, the
  // threads share the matrix products instead.
  void Step(absl::Span<const Extension> rows);

  // Of the last time step, valid until the next: logits, [row, vocab], their log-sum-exp by row,
  // and attention weights, [row, source], up to the length of the row's source.
  Matrix scores() const { return First(scores_.view(), count_); }
  absl::Span<const float> normalizers() const { return {normalizers_.data(), size()}; }
  Matrix attention() const { return First(attention_.view(), count_); }

 private:
  size_t size() const { return static_cast<size_t>(count_); }
  void Reserve(int64_t rows);
  // Part of a time step: `rows`, which begin at row `begin`, padded to `count` rows.
  void RunGroup(absl::Span<const Extension> rows, int64_t begin, int64_t count);
  void MakeInput(absl::Span<const Extension> rows, Matrix input) const;
  void RunCell(size_t layer, absl::Span<const Extension> rows, ConstMatrix input, int64_t begin,
               int64_t count);

  const PackedDecoder& decoder_;
  const PackedOutput& output_;
  const absl::Span<const AttentionMemory> sources_;
  int64_t count_ = 0;     // Rows of the last time step.
  int64_t capacity_ = 0;  // Of the buffers.
  DecoderRows before_;
  DecoderRows after_;
  Buffer input_, hidden_before_, cell_state_before_, gates_, products_, attended_;  // [row, …]
  Buffer attention_, scores_;
  std::vector<float> normalizers_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_DECODER_STEP_H_
