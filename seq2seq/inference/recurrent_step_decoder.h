// Recurrent decoder with attention, one time step at a time and without gradients.
#ifndef SEQ2SEQ_INFERENCE_RECURRENT_STEP_DECODER_H_
#define SEQ2SEQ_INFERENCE_RECURRENT_STEP_DECODER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/inference/attention.h"
#include "seq2seq/inference/decoder_options.h"
#include "seq2seq/inference/grouped_step_decoder.h"
#include "seq2seq/inference/model_arrays.h"
#include "seq2seq/kernels/extension.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/kernels/recurrent.h"

namespace seq2seq {

// A decoder with packed weights.
struct PackedDecoder {
  // For encoder output of size `memory`. Packs the weights, which are then removed from `arrays`;
  // shares the others.
  PackedDecoder(const DecoderOptions& options, int64_t memory, DecoderArrays& arrays,
                Precision precision);

  int64_t packed_bytes() const;

  const DecoderOptions options;
  // Input of the first: embedding, then the attentional state with input feeding.
  const std::vector<PackedCell> cells;
  const std::vector<PackedCell> context_cell;  // The conditional cell; none or one.
  const std::unique_ptr<const InferenceAttention> attention;
  const PackedMatrix attentional;  // [context + hidden, attentional]
  const DecoderArrays arrays;      // Those that are not packed.
};

// The decoder state of hypotheses, a row each.
struct DecoderRows {
  // `rows` uninitialised rows for sources of at most `longest` positions.
  DecoderRows(const PackedDecoder& decoder, int64_t rows, int64_t longest);

  std::vector<Buffer> hidden;      // One per layer, [row, hidden].
  std::vector<Buffer> cell_state;  // Likewise; empty for cells without one.
  Buffer attentional_state;        // [row, attentional]
  Buffer past;  // [row, longest], of InferenceAttention::UpdatePast; empty unless HasPast(kind).
};

// A recurrent decoder at work on one batch. Keeps its intermediate results in buffers that it
// reuses.
class RecurrentStepDecoder : public GroupedStepDecoder {
 public:
  // Starts with a row for each sentence. The decoder and the output layer must outlive it.
  RecurrentStepDecoder(const PackedDecoder& decoder, const PackedOutput& output, DecoderRows start,
                       BatchMemory memory);

 private:
  const AttentionMemory& SourceOf(const Extension& row) const {
    return memory_.sentences[static_cast<size_t>(row.sentence)];
  }
  int64_t SourceLength(const Extension& row) const override { return SourceOf(row).keys.rows; }
  void Reserve(int64_t rows);
  void BeginStep(int64_t rows, bool grows) override;
  void RunGroup(const Group& group) override;
  void MakeInput(const Group& group, Matrix input) const;
  // The cells of a time step: the output of the last layer, [row, hidden].
  Matrix RunCells(const Group& group);
  void RunCell(size_t layer, const Group& group, ConstMatrix input);
  // The conditional cell, from the state of the last layer: that layer's new state, [row, hidden].
  Matrix RunContextCell(const Group& group, ConstMatrix contexts);
  // A time step of `cell` from hidden_before_ and cell_state_before_ to the state of `layer`.
  void Advance(const PackedCell& cell, size_t layer, const Group& group, ConstMatrix input);
  // Sets the contexts, [row, context], of `outputs`, [row, hidden].
  void Attend(const Group& group, Matrix outputs, Matrix contexts);

  const PackedDecoder& decoder_;
  const BatchMemory memory_;
  DecoderRows before_;
  DecoderRows after_;
  Buffer input_, hidden_before_, cell_state_before_, gates_, products_;  // [row, …]
  Buffer outputs_, queries_, attended_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_RECURRENT_STEP_DECODER_H_
