// Recurrent encoder of text: stacked, possibly bidirectional layers.
#ifndef SEQ2SEQ_MODEL_RECURRENT_ENCODER_H_
#define SEQ2SEQ_MODEL_RECURRENT_ENCODER_H_

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/modules/embedding.h>
#include <torch/types.h>

#include "seq2seq/inference/encoder_options.h"
#include "seq2seq/model/cell.h"
#include "seq2seq/model/encoder.h"
#include "seq2seq/ops/sequence_ops.h"

namespace seq2seq {

// Stacked recurrent layers, each of a forward cell and, where bidirectional, a backward cell
// (Schuster & Paliwal 1997). The input of a layer is the output of the cells of the layer below,
// concatenated or summed; residual layers add their input to their output. The summary is the final
// output of each cell of the last layer, likewise, as are the final states of all layers.
class RecurrentEncoderImpl : public EncoderImpl {
 public:
  // Shares `embedding`, or makes its own if that is empty. Encoded::layers is empty unless
  // `with_layers`.
  RecurrentEncoderImpl(int64_t vocab, const EncoderOptions& options, torch::nn::Embedding embedding,
                       bool with_layers);

  Encoded forward(const Batch& batch) override;
  std::string DescribePath() const override;

 private:
  // Whether the kernels compute whole sequences, instead of one time step at a time.
  bool is_fused() const;

  struct Layer {
    std::vector<Cell> cells;  // Forward and, if bidirectional, backward.
    bool residual = false;
    bool sums = false;  // The output is the sum of both cells'.
  };

  // The output of a layer, [..., size], from that of its cells, concatenated.
  torch::Tensor Merge(const torch::Tensor& outputs, const Layer& layer) const;

  // `outputs` of the cells of a layer with its input, if it is residual.
  torch::Tensor WithInput(const torch::Tensor& outputs, const torch::Tensor& input,
                          const Layer& layer) const;

  // The final states of a layer, [batch, size], from those of its cells at all positions, [row,
  // cells x hidden]: the last ones from the left, and the first ones from the right.
  torch::Tensor FinalOf(const torch::Tensor& states, const SequenceEnds& ends,
                        const Layer& layer) const;
  CellState FinalOf(const CellState& states, const SequenceEnds& ends, const Layer& layer) const;

  struct Outputs {
    torch::Tensor last;   // Of the last layer's cells: [batch, source, cells x hidden].
    torch::Tensor final;  // Encoded::final, and layers.
    std::vector<CellState> layers;
  };
  // Runs the layers, by the kernels or one time step at a time. The output is zero at padding.
  Outputs RunFused(const torch::Tensor& tokens, const torch::Tensor& lengths);
  Outputs RunPlain(const torch::Tensor& tokens, const torch::Tensor& lengths);

  EncoderOptions options_;
  bool with_layers_;
  torch::nn::Embedding embedding_;
  std::vector<Layer> layers_;
};
TORCH_MODULE(RecurrentEncoder);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_RECURRENT_ENCODER_H_
