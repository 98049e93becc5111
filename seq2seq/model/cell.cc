#include "seq2seq/model/cell.h"

#include <torch/torch.h>

#include "seq2seq/model/initialization.h"

namespace seq2seq {

LstmCellImpl::LstmCellImpl(int64_t input, int64_t hidden)
    : weight_ih_(register_parameter("weight_ih", torch::empty({4 * hidden, input}))),
      weight_hh_(register_parameter("weight_hh", torch::empty({4 * hidden, hidden}))),
      bias_ih_(register_parameter("bias_ih", torch::zeros({4 * hidden}))),
      bias_hh_(register_parameter("bias_hh", torch::zeros({4 * hidden}))) {
  for (const torch::Tensor& gate : weight_ih_.chunk(4)) InitializeXavier(gate);
  for (const torch::Tensor& gate : weight_hh_.chunk(4)) InitializeOrthogonal(gate);
  const torch::NoGradGuard no_grad;
  bias_ih_.narrow(0, hidden, hidden).fill_(1.0);
}

torch::Tensor LstmCellImpl::Project(const torch::Tensor& input, int64_t first) {
  const torch::Tensor weight = weight_ih_.narrow(1, first, input.size(-1));
  return first == 0 ? torch::linear(input, weight, bias_ih_ + bias_hh_)
                    : torch::linear(input, weight);
}

CellState LstmCellImpl::forward(const torch::Tensor& projected, const CellState& state) {
  const auto gates =
      torch::addmm(projected, state.hidden, weight_hh_.t()).chunk(4, 1);  // each [row, hidden]
  const torch::Tensor memory =
      torch::sigmoid(gates[1]) * state.memory + torch::sigmoid(gates[0]) * torch::tanh(gates[2]);
  return {torch::sigmoid(gates[3]) * torch::tanh(memory), memory};
}

CellState LstmCellImpl::InitialState(int64_t rows) const {
  const torch::Tensor zeros =
      torch::zeros({rows, weight_hh_.size(1)}, weight_hh_.options().requires_grad(false));
  return {zeros, zeros};
}

Cell MakeCell(CellKind kind, int64_t input, int64_t hidden) {
  switch (kind) {
    case CellKind::kLstm:
      return Cell(std::shared_ptr<CellImpl>(std::make_shared<LstmCellImpl>(input, hidden)));
  }
  TORCH_CHECK(false, "no such cell: ", static_cast<int>(kind));
}

}  // namespace seq2seq
