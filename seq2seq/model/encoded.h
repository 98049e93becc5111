// Encoder output, and attention's memory of it.
#ifndef SEQ2SEQ_MODEL_ENCODED_H_
#define SEQ2SEQ_MODEL_ENCODED_H_

#include <vector>

#include <torch/types.h>

#include "seq2seq/ops/cell_parameters.h"

namespace seq2seq {

// Encoder output of a batch. A value.
struct Encoded {
  torch::Tensor values;   // [batch, source, size], zero at padding.
  torch::Tensor lengths;  // [batch], on the CPU: how many positions of each sentence count.
  torch::Tensor final;    // [batch, size], a summary of the source for the bridge.
  // The final states of the recurrent layers, [batch, size], where the bridge is `layers`.
  std::vector<CellState> layers = {};

  // The same with each source `times` times, one after the other.
  Encoded Repeat(int64_t times) const {
    const auto repeat = [times](const torch::Tensor& rows) {
      return rows.defined() ? rows.repeat_interleave(times, 0) : rows;
    };
    Encoded repeated = {repeat(values), repeat(lengths), repeat(final)};
    for (const CellState& layer : layers)
      repeated.layers.push_back({repeat(layer.hidden), repeat(layer.cell_state)});
    return repeated;
  }

  // [batch, source], bool, true where there is a token.
  torch::Tensor Mask() const {
    return (torch::arange(values.size(1)) < lengths.unsqueeze(1)).to(values.device());
  }
};

// Encoder output prepared for attention, once per source. A value.
struct Memory {
  torch::Tensor values;   // [batch, source, context], whose weighted mean is the context.
  torch::Tensor keys;     // [batch, source, key], compared with the queries.
  torch::Tensor bias;     // [batch, 1, source], added to scores: 0, or minus infinity at padding.
  torch::Tensor lengths;  // [batch], on the CPU, as in Encoded.

  // The rows of the sentences `sentences`, [batch], on the device of the values.
  Memory Select(const torch::Tensor& sentences) const {
    return {values.index_select(0, sentences), keys.index_select(0, sentences),
            bias.index_select(0, sentences), lengths.index_select(0, sentences.to(torch::kCPU))};
  }
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_ENCODED_H_
