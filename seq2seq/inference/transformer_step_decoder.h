// Transformer decoder, one time step at a time and without gradients.
#ifndef SEQ2SEQ_INFERENCE_TRANSFORMER_STEP_DECODER_H_
#define SEQ2SEQ_INFERENCE_TRANSFORMER_STEP_DECODER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/inference/grouped_step_decoder.h"
#include "seq2seq/inference/transformer_decoder.h"
#include "seq2seq/kernels/extension.h"
#include "seq2seq/kernels/rotary.h"

namespace seq2seq {

// Keys and values of the sources of a batch, for each layer: [row, 2 x hidden], rows as in
// EncoderOutput; no layers without a source.
struct SourceMemory {
  std::vector<Buffer> layers;
  std::vector<int64_t> begins;
};

// A decoder at work on one batch. Keys and values of a time step stay where they were computed: a
// hypothesis remembers in which row of each time step its own are, so that extending it copies a
// row number per time step and, with ssru, one vector per layer.
class TransformerStepDecoder : public GroupedStepDecoder {
 public:
  // The decoder and the output layer must outlive it.
  TransformerStepDecoder(const TransformerInferenceDecoder& decoder, const PackedOutput& output,
                         SourceMemory memory);

 private:
  int64_t SourceLength(const Extension& row) const override {
    const auto sentence = static_cast<size_t>(row.sentence);
    return memory_.begins[sentence + 1] - memory_.begins[sentence];
  }
  void Reserve(int64_t rows);
  // Makes room for what the time step keeps, and for the rotary positions up to it.
  void BeginStep(int64_t rows, bool grows) override;
  void RunGroup(const Group& group) override;
  // Sets ancestors_ to those of the new rows.
  void Inherit();
  void Embed(const Group& group, Matrix values) const;
  // What carries the state, from normalised input to output: [row, hidden].
  void SelfAttend(size_t layer, const Group& group, ConstMatrix input, Matrix output);
  void Recur(size_t layer, const Group& group, ConstMatrix input, Matrix output);
  void AttendToSource(size_t layer, const Group& group, ConstMatrix input, Matrix output);

  const TransformerInferenceDecoder& decoder_;
  const DecoderOptions& options_;
  const SourceMemory memory_;
  int64_t time_ = -1;  // Of the last time step: the number of time steps before it.

  std::vector<std::vector<Buffer>>
      cache_;                       // Keys and values, [row, 2 x hidden], by time and layer.
  std::vector<int32_t> ancestors_;  // [row, time_], the row of each earlier time step.
  std::vector<Buffer> cells_before_, cells_;  // States of ssru, one per layer, [row, hidden].

  std::optional<RotaryTable> rotary_;  // With rotary positions; of time_ too.

  TransformerBuffers buffers_;
  Buffer values_, projected_, contexts_;  // [row, …]
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_TRANSFORMER_STEP_DECODER_H_
