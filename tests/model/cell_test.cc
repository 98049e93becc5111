#include "seq2seq/model/cell.h"

#include <functional>
#include <string>
#include <tuple>
#include <utility>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/weights/safetensors.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

const CellKind kCells[] = {CellKind::kLstm,          CellKind::kPeephole,    CellKind::kGru,
                           CellKind::kRnnTanh,       CellKind::kRnnRelu,     CellKind::kCoupled,
                           CellKind::kLayerNormLstm, CellKind::kLayerNormGru};

struct Outcome {
  CellState state;
  TensorMap gradients;
};

// Runs `step(input, state)` over inputs, [step, row, 5], from a state of its own to a weighted sum
// of the last output.
template <typename Step>
Outcome RunSteps(const torch::nn::Module& module, bool has_memory, torch::ScalarType type,
                 const Step& step) {
  torch::manual_seed(2);
  const torch::Tensor inputs = torch::randn({4, 2, 5}).to(type);
  const torch::Tensor weight = torch::randn({2, 3}).to(type);
  CellState state = {torch::randn({2, 3}).to(type),
                     has_memory ? torch::randn({2, 3}).to(type) : torch::Tensor()};
  for (const torch::Tensor& input : inputs.unbind(0)) state = step(input, state);
  Outcome outcome = {state, GradientsOf(module, (state.hidden * weight).sum())};
  return outcome;
}

Outcome RunCell(Cell& cell, torch::ScalarType type) {
  return RunSteps(*cell, HasCellState(cell->kind()), type,
                  [&](const torch::Tensor& input, const CellState& state) {
                    return cell(cell->Project(input, 0), state);
                  });
}

void ExpectAgreement(const Outcome& a, const Outcome& b, double tolerance) {
  EXPECT_LT(MaxDifference(a.state.hidden, b.state.hidden), tolerance);
  ASSERT_EQ(a.state.cell_state.defined(), b.state.cell_state.defined());
  if (a.state.cell_state.defined()) {
    EXPECT_LT(MaxDifference(a.state.cell_state, b.state.cell_state), tolerance);
  }
  ASSERT_EQ(a.gradients.size(), b.gradients.size());
  for (const auto& [name, gradient] : a.gradients) {
    EXPECT_GT(gradient.abs().max().item<double>(), 1e-4) << name;
    EXPECT_LT(MaxDifference(gradient, b.gradients.at(name)), tolerance) << name;
  }
}

// A cell in double, where the plain formulas compute, and a module of LibTorch with the same
// parameters.
template <typename Twin>
Cell CellLike(CellKind kind, Twin& twin) {
  Cell cell = MakeCell(kind, 5, 3);
  cell->to(torch::kFloat64);
  twin->to(torch::kFloat64);
  Randomize(*cell, 1);
  EXPECT_TRUE(AssignTensors(Parameters(*cell), "cell", Parameters(*twin)).ok());
  return cell;
}

TEST(LstmCell, AgreesWithTorch) {
  torch::nn::LSTMCell twin(5, 3);
  Cell cell = CellLike(CellKind::kLstm, twin);
  ExpectAgreement(RunCell(cell, torch::kFloat64),
                  RunSteps(*twin, true, torch::kFloat64,
                           [&](const torch::Tensor& input, const CellState& state) {
                             const auto [hidden, cell_state] =
                                 twin(input, std::make_tuple(state.hidden, state.cell_state));
                             return CellState{hidden, cell_state};
                           }),
                  1e-12);
}

TEST(GruCell, AgreesWithTorch) {
  torch::nn::GRUCell twin(5, 3);
  Cell cell = CellLike(CellKind::kGru, twin);
  ExpectAgreement(RunCell(cell, torch::kFloat64),
                  RunSteps(*twin, false, torch::kFloat64,
                           [&](const torch::Tensor& input, const CellState& state) {
                             return CellState{twin(input, state.hidden), torch::Tensor()};
                           }),
                  1e-12);
}

TEST(RnnCell, AgreesWithTorch) {
  for (const CellKind kind : {CellKind::kRnnTanh, CellKind::kRnnRelu}) {
    torch::nn::RNNCellOptions options(5, 3);
    if (kind == CellKind::kRnnRelu) options.nonlinearity(torch::kReLU);
    torch::nn::RNNCell twin(options);
    Cell cell = CellLike(kind, twin);
    ExpectAgreement(RunCell(cell, torch::kFloat64),
                    RunSteps(*twin, false, torch::kFloat64,
                             [&](const torch::Tensor& input, const CellState& state) {
                               return CellState{twin(input, state.hidden), torch::Tensor()};
                             }),
                    1e-12);
  }
}

TEST(PeepholeCell, AgreesWithItsFormulas) {
  Cell cell = MakeCell(CellKind::kPeephole, 5, 3);
  cell->to(torch::kFloat64);
  Randomize(*cell, 1);
  const torch::Tensor input = torch::randn({2, 5}, torch::kFloat64);
  const CellState before = {torch::randn({2, 3}, torch::kFloat64),
                            torch::randn({2, 3}, torch::kFloat64)};
  const CellState after = cell(cell->Project(input, 0), before);
  const auto gates =
      (torch::mm(input, cell->cell_parameters().weight_ih.t()) + cell->cell_parameters().bias_ih +
       torch::mm(before.hidden, cell->cell_parameters().weight_hh.t()) +
       cell->cell_parameters().bias_hh)
          .chunk(4, 1);
  const torch::Tensor in =
      torch::sigmoid(gates[0] + cell->cell_parameters().peephole[0] * before.cell_state);
  const torch::Tensor forget =
      torch::sigmoid(gates[1] + cell->cell_parameters().peephole[1] * before.cell_state);
  const torch::Tensor cell_state = forget * before.cell_state + in * torch::tanh(gates[2]);
  const torch::Tensor out =
      torch::sigmoid(gates[3] + cell->cell_parameters().peephole[2] * cell_state);
  EXPECT_LT(MaxDifference(after.cell_state, cell_state), 1e-12);
  EXPECT_LT(MaxDifference(after.hidden, out * torch::tanh(cell_state)), 1e-12);
}

// A cell in double with a step of it: what inputs and state contribute, the state before and after.
struct OneStep {
  explicit OneStep(CellKind kind, double recurrent_dropout = 0)
      : cell(MakeCell(kind, 5, 3, recurrent_dropout)) {
    cell->eval();
    cell->to(torch::kFloat64);
    Randomize(*cell, 1);
    parameters = Parameters(*cell);
    const torch::Tensor input = torch::randn({2, 5}, torch::kFloat64);
    before = {torch::randn({2, 3}, torch::kFloat64), torch::randn({2, 3}, torch::kFloat64)};
    in = torch::mm(input, cell->cell_parameters().weight_ih.t());
    past = torch::mm(before.hidden, cell->cell_parameters().weight_hh.t());
    projected = cell->Project(input, 0);
    after = cell(projected, before);
  }

  Cell cell;
  TensorMap parameters;
  torch::Tensor in, past, projected;
  CellState before, after;
};

TEST(CoupledCell, AgreesWithItsFormulas) {
  const OneStep step(CellKind::kCoupled);
  const auto gates = (step.in + step.past + step.cell->cell_parameters().bias_ih +
                      step.cell->cell_parameters().bias_hh)
                         .chunk(3, 1);
  const torch::Tensor peephole = step.cell->cell_parameters().peephole;
  const torch::Tensor in = torch::sigmoid(gates[0] + peephole[0] * step.before.cell_state);
  const torch::Tensor cell_state = (1 - in) * step.before.cell_state + in * torch::tanh(gates[1]);
  const torch::Tensor out = torch::sigmoid(gates[2] + peephole[1] * cell_state);
  EXPECT_LT(MaxDifference(step.after.cell_state, cell_state), 1e-12);
  EXPECT_LT(MaxDifference(step.after.hidden, out * torch::tanh(cell_state)), 1e-12);
}

// Rows less their mean, by their standard deviation.
torch::Tensor LayerNorm(const torch::Tensor& rows) {
  const torch::Tensor centered = rows - rows.mean(1, /*keepdim=*/true);
  return centered / torch::sqrt(centered.pow(2).mean(1, /*keepdim=*/true) + 1e-5);
}

TEST(LayerNormLstmCell, AgreesWithItsFormulas) {
  const OneStep step(CellKind::kLayerNormLstm);
  const TensorMap& parameters = step.parameters;
  const auto gates = (LayerNorm(step.in) * parameters.at("norm_ih") +
                      LayerNorm(step.past) * parameters.at("norm_hh") +
                      step.cell->cell_parameters().bias_ih + step.cell->cell_parameters().bias_hh)
                         .chunk(4, 1);
  const torch::Tensor cell_state = torch::sigmoid(gates[1]) * step.before.cell_state +
                                   torch::sigmoid(gates[0]) * torch::tanh(gates[2]);
  const torch::Tensor seen =
      LayerNorm(cell_state) * parameters.at("norm_memory") + parameters.at("norm_memory_bias");
  EXPECT_LT(MaxDifference(step.after.cell_state, cell_state), 1e-12);
  EXPECT_LT(MaxDifference(step.after.hidden, torch::sigmoid(gates[3]) * torch::tanh(seen)), 1e-12);
}

TEST(LayerNormGruCell, AgreesWithItsFormulas) {
  const OneStep step(CellKind::kLayerNormGru);
  const auto normalized = [&](const torch::Tensor& rows, const char* gain,
                              const torch::Tensor& bias) {
    return torch::cat({LayerNorm(rows.narrow(1, 0, 6)), LayerNorm(rows.narrow(1, 6, 3))}, 1) *
               step.parameters.at(gain) +
           bias;
  };
  const auto in = normalized(step.in, "norm_ih", step.cell->cell_parameters().bias_ih).chunk(3, 1);
  const auto past =
      normalized(step.past, "norm_hh", step.cell->cell_parameters().bias_hh).chunk(3, 1);
  const torch::Tensor reset = torch::sigmoid(in[0] + past[0]);
  const torch::Tensor update = torch::sigmoid(in[1] + past[1]);
  const torch::Tensor fresh = torch::tanh(in[2] + reset * past[2]);
  EXPECT_LT(MaxDifference(step.after.hidden, (1 - update) * fresh + update * step.before.hidden),
            1e-12);
}

// What is kept of a cell_state, or of a state without one, stays whole in training; what is new is
// either left out or twice as large.
TEST(Cell, RecurrentDropoutIsOfWhatIsNewAlone) {
  const std::pair<CellKind, std::function<torch::Tensor(const OneStep&)>> kept_by[] = {
      {CellKind::kLstm,
       [](const OneStep& step) {
         const torch::Tensor gates = step.in + step.past + step.cell->cell_parameters().bias_ih +
                                     step.cell->cell_parameters().bias_hh;
         return torch::sigmoid(gates.chunk(4, 1)[1]) * step.before.cell_state;
       }},
      {CellKind::kCoupled,
       [](const OneStep& step) {
         const torch::Tensor gates = step.in + step.past + step.cell->cell_parameters().bias_ih +
                                     step.cell->cell_parameters().bias_hh;
         return (1 -
                 torch::sigmoid(gates.chunk(3, 1)[0] + step.cell->cell_parameters().peephole[0] *
                                                           step.before.cell_state)) *
                step.before.cell_state;
       }},
      {CellKind::kLayerNormLstm,
       [](const OneStep& step) {
         const torch::Tensor gates = LayerNorm(step.in) * step.parameters.at("norm_ih") +
                                     LayerNorm(step.past) * step.parameters.at("norm_hh") +
                                     step.cell->cell_parameters().bias_ih +
                                     step.cell->cell_parameters().bias_hh;
         return torch::sigmoid(gates.chunk(4, 1)[1]) * step.before.cell_state;
       }},
      {CellKind::kGru,
       [](const OneStep& step) {
         const torch::Tensor gates = step.in + step.past + step.cell->cell_parameters().bias_ih +
                                     step.cell->cell_parameters().bias_hh;
         return torch::sigmoid(gates.chunk(3, 1)[1]) * step.before.hidden;
       }},
  };
  const torch::NoGradGuard no_grad;
  for (const auto& [kind, kept_of] : kept_by) {
    OneStep step(kind, 0.5);
    const auto carried = [](const CellState& state) {
      return state.cell_state.defined() ? state.cell_state : state.hidden;
    };
    const torch::Tensor kept = kept_of(step);
    const torch::Tensor fresh = 2 * (carried(step.after) - kept);
    step.cell->train();
    int64_t left_out = 0, doubled = 0;
    for (int64_t draw = 0; draw < 20; ++draw) {
      const torch::Tensor change = carried(step.cell(step.projected, step.before)) - kept;
      const torch::Tensor out = change.abs().lt(1e-9), twice = (change - fresh).abs().lt(1e-9);
      EXPECT_TRUE(out.logical_or(twice).all().item<bool>()) << EnumText(kind);
      left_out += out.sum().item<int64_t>();
      doubled += twice.sum().item<int64_t>();
    }
    EXPECT_GT(left_out, 30) << EnumText(kind);
    EXPECT_GT(doubled, 30) << EnumText(kind);
  }
}

TEST(Cell, FusedStepAgreesWithTheFormulas) {
  for (const CellKind kind : kCells) {
    SCOPED_TRACE(EnumText(kind));
    Cell cell = MakeCell(kind, 5, 3);
    Randomize(*cell, 1);
    const Outcome fused = RunCell(cell, torch::kFloat32);
    const ComputeGuard guard({.fused = false});
    ExpectAgreement(fused, RunCell(cell, torch::kFloat32), 1e-5);
  }
}

TEST(Cell, ProjectionsOfPartsAddUpToThatOfTheWhole) {
  for (const CellKind kind : kCells) {
    Cell cell = MakeCell(kind, 5, 3);
    Randomize(*cell, 1);
    const torch::Tensor input = torch::randn({2, 4, 5});
    const torch::Tensor parts =
        cell->Project(input.narrow(-1, 0, 2), 0) + cell->Project(input.narrow(-1, 2, 3), 2);
    EXPECT_LT(MaxDifference(parts, cell->Project(input, 0)), 1e-6) << EnumText(kind);
  }
}

TEST(LstmCell, ForgetGateStartsOpenAndTheOthersWithoutBias) {
  for (const CellKind kind : {CellKind::kLstm, CellKind::kPeephole}) {
    const Cell cell = MakeCell(kind, 5, 3);
    const torch::Tensor bias =
        (cell->cell_parameters().bias_ih + cell->cell_parameters().bias_hh).view({4, 3});
    EXPECT_TRUE(torch::equal(bias[1], torch::ones({3})));
    for (const int64_t gate : {0, 2, 3}) EXPECT_TRUE(torch::equal(bias[gate], torch::zeros({3})));
  }
}

TEST(Cell, ForgetBiasIsSetWhereThereIsAForgetGate) {
  for (const CellKind kind : kCells) {
    Cell cell = MakeCell(kind, 5, 3);
    cell->SetForgetBias(2);
    const torch::Tensor bias = cell->cell_parameters().bias_ih;
    if (kind == CellKind::kCoupled) {
      EXPECT_TRUE(torch::equal(bias.narrow(0, 0, 3), torch::full({3}, -2.0f)));
    } else if (HasCellState(kind)) {
      EXPECT_TRUE(torch::equal(bias.narrow(0, 3, 3), torch::full({3}, 2.0f))) << EnumText(kind);
    } else {
      EXPECT_EQ(bias.abs().max().item<float>(), 0) << EnumText(kind);
    }
  }
}

TEST(Cell, StartsFromZeros) {
  for (const CellKind kind : kCells) {
    const CellState state = MakeCell(kind, 5, 3)->InitialState(2);
    EXPECT_TRUE(torch::equal(state.hidden, torch::zeros({2, 3})));
    EXPECT_EQ(state.cell_state.defined(), HasCellState(kind)) << EnumText(kind);
    EXPECT_FALSE(state.hidden.requires_grad());
  }
}

TEST(CellState, SelectTakesRowsInTheOrderGiven) {
  const CellState state = {torch::rand({3, 2}), torch::rand({3, 2})};
  const CellState selected = state.Select(torch::tensor({2, 0, 2, 1}));
  const int64_t rows[] = {2, 0, 2, 1};
  for (int64_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(torch::equal(selected.hidden[i], state.hidden[rows[i]]));
    EXPECT_TRUE(torch::equal(selected.cell_state[i], state.cell_state[rows[i]]));
  }
}

}  // namespace
}  // namespace seq2seq
