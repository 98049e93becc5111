// A recurrent decoder with attention step by step, without gradients: what search needs. Whole
// targets at once, as in training, are in decoder.h; both agree.
#ifndef SEQ2SEQ_KERNELS_DECODER_STEP_H_
#define SEQ2SEQ_KERNELS_DECODER_STEP_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/kernels/attention.h"
#include "seq2seq/kernels/decoder.h"
#include "seq2seq/kernels/matrix.h"
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
  PackedMatrix weight;          // [readout, vocab]
  const float* bias = nullptr;  // [vocab]
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

// The state after one step, a row for each of `rows`, which may be fewer or more than before.
// `attention`, [row, source], at least as wide as the longest source, becomes where they looked.
// Rows are dealt to threads; few of them go through products that share the threads.
DecoderRows StepDecoder(const PackedDecoder& decoder, const DecoderRows& before,
                        absl::Span<const DecoderExtension> rows, absl::Span<const Source> sources,
                        Matrix attention);

// The scores readouts W + b of the first `normalizers.size()` rows, [row, vocab], and the LogSumExp
// of each.
Buffer ScoreOutput(const PackedOutput& output, const DecoderRows& state,
                   absl::Span<float> normalizers);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_DECODER_STEP_H_
