#include "seq2seq/model/cell.h"

#include <utility>

#include <torch/torch.h>

#include "seq2seq/model/gate_statistics.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/ops/recurrent_ops.h"

namespace seq2seq {
namespace {

// Layer normalisation of rows, without a bias.
torch::Tensor Normalized(const torch::Tensor& rows, const torch::Tensor& gain) {
  return torch::layer_norm(rows, {rows.size(1)}, gain);
}

}  // namespace

CellImpl::CellImpl(CellKind kind, int64_t gates, int64_t input, int64_t hidden)
    : kind_(kind),
      weight_ih_(register_parameter("weight_ih", torch::empty({gates * hidden, input}))),
      weight_hh_(register_parameter("weight_hh", torch::empty({gates * hidden, hidden}))),
      bias_ih_(register_parameter("bias_ih", torch::zeros({gates * hidden}))),
      bias_hh_(register_parameter("bias_hh", torch::zeros({gates * hidden}))) {
  for (const torch::Tensor& gate : weight_ih_.chunk(gates)) InitializeXavier(gate);
  for (const torch::Tensor& gate : weight_hh_.chunk(gates)) InitializeOrthogonal(gate);
}

torch::Tensor CellImpl::Project(const torch::Tensor& input, int64_t first) {
  const torch::Tensor weight = weight_ih_.narrow(1, first, input.size(-1));
  return first == 0 ? torch::linear(input, weight, ProjectionBias()) : torch::linear(input, weight);
}

CellState CellImpl::forward(const torch::Tensor& projected, const CellState& state) {
  const torch::Tensor recurrent = torch::linear(state.hidden, weight_hh_);
  if (is_fused()) return FusedGates(cell_parameters(), projected, recurrent, state);
  return Combine(projected, recurrent, state);
}

bool CellImpl::is_fused() const {
  return HasTrainingKernel(kind_) && UsesKernels(weight_hh_) &&
         !(is_training() && recurrent_dropout_ > 0);
}

torch::Tensor CellImpl::Gate(const torch::Tensor& input) const {
  torch::Tensor gate = torch::sigmoid(input);
  GateStatistics::Add(this, gate);
  return gate;
}

torch::Tensor CellImpl::DropNew(const torch::Tensor& fresh) const {
  return torch::dropout(fresh, recurrent_dropout_, is_training());
}

CellState CellImpl::InitialState(int64_t rows) const {
  const torch::Tensor zeros =
      torch::zeros({rows, hidden()}, weight_hh_.options().requires_grad(false));
  return {zeros, HasCellState(kind_) ? zeros : torch::Tensor()};
}

torch::Tensor CellImpl::ProjectionBias() const { return bias_ih_ + bias_hh_; }

LstmCellImpl::LstmCellImpl(CellKind kind, int64_t input, int64_t hidden)
    : CellImpl(kind, 4, input, hidden) {
  if (kind == CellKind::kPeephole) {
    peephole_ = register_parameter("peephole", torch::zeros({3, hidden}));
  }
  SetForgetBias(1);
}

void LstmCellImpl::SetForgetBias(double bias) {
  const torch::NoGradGuard no_grad;
  bias_ih_.narrow(0, hidden(), hidden()).fill_(bias);
}

CellState LstmCellImpl::Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                                const CellState& state) const {
  const auto gates = (projected + recurrent).chunk(4, 1);  // each [row, hidden]
  const auto with_peephole = [this](const torch::Tensor& gate, int64_t row,
                                    const torch::Tensor& cell_state) {
    return peephole_.defined() ? gate + peephole_[row] * cell_state : gate;
  };
  const torch::Tensor cell_state =
      Gate(with_peephole(gates[1], 1, state.cell_state)) * state.cell_state +
      Gate(with_peephole(gates[0], 0, state.cell_state)) * DropNew(torch::tanh(gates[2]));
  return {Gate(with_peephole(gates[3], 2, cell_state)) * torch::tanh(cell_state), cell_state};
}

GruCellImpl::GruCellImpl(int64_t input, int64_t hidden)
    : CellImpl(CellKind::kGru, 3, input, hidden) {}

torch::Tensor GruCellImpl::ProjectionBias() const {
  // The recurrent bias of the new gate is multiplied by the reset gate, so it is not added here.
  return bias_ih_ + torch::cat({bias_hh_.narrow(0, 0, 2 * hidden()),
                                torch::zeros({hidden()}, bias_hh_.options())});
}

CellState GruCellImpl::Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                               const CellState& state) const {
  const auto in = projected.chunk(3, 1);  // each [row, hidden]
  const auto past = recurrent.chunk(3, 1);
  const torch::Tensor reset = Gate(in[0] + past[0]);
  const torch::Tensor update = Gate(in[1] + past[1]);
  const torch::Tensor bias = bias_hh_.narrow(0, 2 * hidden(), hidden());
  const torch::Tensor fresh = DropNew(torch::tanh(in[2] + reset * (past[2] + bias)));
  return {(1 - update) * fresh + update * state.hidden, torch::Tensor()};
}

RnnCellImpl::RnnCellImpl(CellKind kind, int64_t input, int64_t hidden)
    : CellImpl(kind, 1, input, hidden) {
  const torch::NoGradGuard no_grad;
  if (kind == CellKind::kRnnRelu) torch::nn::init::eye_(weight_hh_);
}

CellState RnnCellImpl::Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                               const CellState& state) const {
  const torch::Tensor sum = projected + recurrent;
  return {kind_ == CellKind::kRnnRelu ? torch::relu(sum) : torch::tanh(sum), torch::Tensor()};
}

CoupledCellImpl::CoupledCellImpl(int64_t input, int64_t hidden)
    : CellImpl(CellKind::kCoupled, 3, input, hidden) {
  peephole_ = register_parameter("peephole", torch::zeros({2, hidden}));
  SetForgetBias(1);
}

void CoupledCellImpl::SetForgetBias(double bias) {
  const torch::NoGradGuard no_grad;
  bias_ih_.narrow(0, 0, hidden()).fill_(-bias);
}

CellState CoupledCellImpl::Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                                   const CellState& state) const {
  const auto gates = (projected + recurrent).chunk(3, 1);  // each [row, hidden]
  const torch::Tensor in = Gate(gates[0] + peephole_[0] * state.cell_state);
  const torch::Tensor cell_state =
      (1 - in) * state.cell_state + in * DropNew(torch::tanh(gates[1]));
  return {Gate(gates[2] + peephole_[1] * cell_state) * torch::tanh(cell_state), cell_state};
}

LayerNormLstmCellImpl::LayerNormLstmCellImpl(int64_t input, int64_t hidden)
    : LstmCellImpl(CellKind::kLayerNormLstm, input, hidden),
      norm_ih_(register_parameter("norm_ih", torch::ones({4 * hidden}))),
      norm_hh_(register_parameter("norm_hh", torch::ones({4 * hidden}))),
      norm_cell_state_(register_parameter("norm_memory", torch::ones({hidden}))),
      norm_cell_state_bias_(register_parameter("norm_memory_bias", torch::zeros({hidden}))) {}

CellState LayerNormLstmCellImpl::Combine(const torch::Tensor& projected,
                                         const torch::Tensor& recurrent,
                                         const CellState& state) const {
  const auto gates =
      (Normalized(projected, norm_ih_) + Normalized(recurrent, norm_hh_) + bias_ih_ + bias_hh_)
          .chunk(4, 1);  // each [row, hidden]
  const torch::Tensor cell_state =
      Gate(gates[1]) * state.cell_state + Gate(gates[0]) * DropNew(torch::tanh(gates[2]));
  const torch::Tensor normalized = Normalized(cell_state, norm_cell_state_) + norm_cell_state_bias_;
  return {Gate(gates[3]) * torch::tanh(normalized), cell_state};
}

LayerNormGruCellImpl::LayerNormGruCellImpl(int64_t input, int64_t hidden)
    : CellImpl(CellKind::kLayerNormGru, 3, input, hidden),
      norm_ih_(register_parameter("norm_ih", torch::ones({3 * hidden}))),
      norm_hh_(register_parameter("norm_hh", torch::ones({3 * hidden}))) {}

CellState LayerNormGruCellImpl::Combine(const torch::Tensor& projected,
                                        const torch::Tensor& recurrent,
                                        const CellState& state) const {
  const int64_t size = hidden();
  // The first two gates and the new gate, normalised separately.
  const auto parts = [size](const torch::Tensor& values, const torch::Tensor& gain,
                            const torch::Tensor& bias) {
    return std::pair(Normalized(values.narrow(1, 0, 2 * size), gain.narrow(0, 0, 2 * size)) +
                         bias.narrow(0, 0, 2 * size),
                     Normalized(values.narrow(1, 2 * size, size), gain.narrow(0, 2 * size, size)) +
                         bias.narrow(0, 2 * size, size));
  };
  const auto [in, in_new] = parts(projected, norm_ih_, bias_ih_);
  const auto [past, past_new] = parts(recurrent, norm_hh_, bias_hh_);
  const auto gates = Gate(in + past).chunk(2, 1);  // Reset and update.
  const torch::Tensor fresh = DropNew(torch::tanh(in_new + gates[0] * past_new));
  return {(1 - gates[1]) * fresh + gates[1] * state.hidden, torch::Tensor()};
}

Cell MakeCell(CellKind kind, int64_t input, int64_t hidden, double recurrent_dropout) {
  std::shared_ptr<CellImpl> cell;
  switch (kind) {
    case CellKind::kLstm:
    case CellKind::kPeephole:
      cell = std::make_shared<LstmCellImpl>(kind, input, hidden);
      break;
    case CellKind::kGru:
      cell = std::make_shared<GruCellImpl>(input, hidden);
      break;
    case CellKind::kRnnTanh:
    case CellKind::kRnnRelu:
      cell = std::make_shared<RnnCellImpl>(kind, input, hidden);
      break;
    case CellKind::kCoupled:
      cell = std::make_shared<CoupledCellImpl>(input, hidden);
      break;
    case CellKind::kLayerNormLstm:
      cell = std::make_shared<LayerNormLstmCellImpl>(input, hidden);
      break;
    case CellKind::kLayerNormGru:
      cell = std::make_shared<LayerNormGruCellImpl>(input, hidden);
      break;
  }
  TORCH_CHECK(cell != nullptr, "unknown cell kind: ", static_cast<int>(kind));
  cell->SetRecurrentDropout(recurrent_dropout);
  return Cell(cell);
}

std::vector<CellParameters> ParametersOf(const std::vector<Cell>& cells) {
  std::vector<CellParameters> parameters;
  for (const Cell& cell : cells) parameters.push_back(cell->cell_parameters());
  return parameters;
}

CellState RunCell(Cell& cell, const torch::Tensor& input, bool with_cell_states) {
  std::vector<torch::Tensor> hidden, cell_states;
  CellState state = cell->InitialState(input.size(1));
  for (const torch::Tensor& projected : cell->Project(input, 0).unbind(0)) {
    state = cell(projected, state);
    hidden.push_back(state.hidden);
    if (with_cell_states && state.cell_state.defined()) cell_states.push_back(state.cell_state);
  }
  return {torch::stack(hidden), cell_states.empty() ? torch::Tensor() : torch::stack(cell_states)};
}

}  // namespace seq2seq
