// A recurrent decoder with attention step by step, without gradients: what search needs. Whole
// targets at once, as in training, are in decoder.h; both agree.
#ifndef SEQ2SEQ_KERNELS_DECODER_STEP_H_
#define SEQ2SEQ_KERNELS_DECODER_STEP_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/kernels/attention.h"
#include "seq2seq/kernels/decoder.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/kernels/recurrent.h"

namespace seq2seq {

// A decoder laid out once for many steps. A value; what `weights` point to is the caller's.
struct PackedDecoder {
  PackedDecoder(CellKind kind, const DecoderWeights& weights, Precision precision);

  ConstMatrix embedding;  // [vocab, embedding]
  std::vector<PackedCell>
      cells;             // The first one's input: embedding, then the readout if it is fed.
  PackedMatrix readout;  // [memory + hidden, readout]

  bool input_feeding() const { return cells[0].input.rows() > embedding.columns; }
};

// The output layer laid out.
struct PackedOutput {
  PackedMatrix weight;  // [readout, vocab]
  Buffer bias;          // [1, vocab]
};

// The state of hypotheses, a row each.
struct DecoderRows {
  // Undefined values for `rows` rows of such a decoder.
  DecoderRows(const PackedDecoder& decoder, int64_t rows);

  std::vector<Buffer> hidden;  // One a layer, [row, hidden].
  std::vector<Buffer> memory;  // The same, empty for cells without a memory.
  Buffer readout;              // [row, readout]
};

// A row of the next step.
struct DecoderExtension {
  int64_t parent = 0;  // The row of the state that it goes on from.
  int64_t source = 0;  // What it looks at.
  int32_t token = 0;   // What it is fed.
};

// Moves hypotheses on step by step, in memory that it uses again. Not thread-safe; the decoder and
// what the sources view must outlive it.
class DecoderStepper {
 public:
  // Begins with a row for each source.
  DecoderStepper(const PackedDecoder& decoder, const PackedOutput& output, DecoderRows start,
                 absl::Span<const Source> sources);

  // One step: a row for each of `rows`, which may be fewer or more than before. Rows are dealt to
  // threads; few of them go through products that share the threads.
  void Step(absl::Span<const DecoderExtension> rows);

  // Of the last step, until the next: scores of the vocabulary, [row, vocab], the LogSumExp of each
  // row, and where each row looked, [row, source], as far as its source goes.
  Matrix scores() const { return First(scores_.view(), count_); }
  absl::Span<const float> normalizers() const { return {normalizers_.data(), size()}; }
  Matrix attention() const { return First(attention_.view(), count_); }

 private:
  size_t size() const { return static_cast<size_t>(count_); }
  void Reserve(int64_t rows);
  // A part of a step, for the rows from `begin` on, of which `count` with those that round up.
  void RunGroup(absl::Span<const DecoderExtension> rows, int64_t begin, int64_t count);
  void MakeInput(absl::Span<const DecoderExtension> rows, Matrix input) const;
  void RunCell(size_t layer, absl::Span<const DecoderExtension> rows, ConstMatrix input,
               int64_t begin, int64_t count);

  const PackedDecoder& decoder_;
  const PackedOutput& output_;
  const absl::Span<const Source> sources_;
  int64_t count_ = 0;     // Rows of the last step.
  int64_t capacity_ = 0;  // Of the buffers.
  DecoderRows before_;
  DecoderRows after_;
  Buffer input_, hidden_before_, memory_before_, gates_, products_, attended_;  // [row, …]
  Buffer attention_, scores_;
  std::vector<float> normalizers_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_DECODER_STEP_H_
