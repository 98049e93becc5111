#include "seq2seq/model/cell.h"

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/model/weights.h"
#include "tests/tiny_model.h"

namespace seq2seq {
namespace {

TEST(LstmCell, AgreesWithTorchLstmCellInValuesAndGradients) {
  LstmCell cell(5, 3);
  torch::nn::LSTMCell twin(5, 3);
  cell->to(torch::kFloat64);
  twin->to(torch::kFloat64);
  Randomize(*cell, 1);
  ASSERT_TRUE(AssignTensors(Parameters(*cell), "cell", Parameters(*twin)).ok());

  const torch::Tensor inputs = torch::randn({4, 2, 5}, torch::kFloat64);  // [step, row, input]
  CellState state = {torch::randn({2, 3}, torch::kFloat64), torch::randn({2, 3}, torch::kFloat64)};
  auto twin_state = std::make_tuple(state.hidden, state.memory);
  for (const torch::Tensor& input : inputs.unbind(0)) {
    state = cell(cell->Project(input, 0), state);
    twin_state = twin(input, twin_state);
    EXPECT_LT(MaxDifference(state.hidden, std::get<0>(twin_state)), 1e-12);
    EXPECT_LT(MaxDifference(state.memory, std::get<1>(twin_state)), 1e-12);
  }
  const torch::Tensor weight = torch::randn({2, 3}, torch::kFloat64);
  const TensorMap gradients = GradientsOf(*cell, (state.hidden * weight).sum());
  const TensorMap expected = GradientsOf(*twin, (std::get<0>(twin_state) * weight).sum());
  ASSERT_EQ(gradients.size(), expected.size());
  for (const auto& [name, gradient] : gradients) {
    EXPECT_GT(gradient.abs().max().item<double>(), 1e-3) << name;
    EXPECT_LT(MaxDifference(gradient, expected.at(name)), 1e-12) << name;
  }
}

TEST(LstmCell, ProjectionsOfPartsAddUpToThatOfTheWhole) {
  LstmCell cell(5, 3);
  Randomize(*cell, 1);
  const torch::Tensor input = torch::randn({2, 4, 5});
  const torch::Tensor parts =
      cell->Project(input.narrow(-1, 0, 2), 0) + cell->Project(input.narrow(-1, 2, 3), 2);
  EXPECT_LT(MaxDifference(parts, cell->Project(input, 0)), 1e-6);
}

TEST(LstmCell, ForgetGateStartsOpenAndTheOthersWithoutBias) {
  LstmCell cell(5, 3);
  const torch::Tensor bias =
      (*cell->named_parameters().find("bias_ih") + *cell->named_parameters().find("bias_hh"))
          .view({4, 3});
  EXPECT_TRUE(torch::equal(bias[1], torch::ones({3})));
  for (const int64_t gate : {0, 2, 3}) EXPECT_TRUE(torch::equal(bias[gate], torch::zeros({3})));
}

TEST(LstmCell, StartsFromZeros) {
  LstmCell cell(5, 3);
  const CellState state = cell->InitialState(2);
  EXPECT_TRUE(torch::equal(state.hidden, torch::zeros({2, 3})));
  EXPECT_TRUE(torch::equal(state.memory, torch::zeros({2, 3})));
  EXPECT_FALSE(state.hidden.requires_grad());
}

TEST(CellState, SelectTakesRowsInTheOrderGiven) {
  const CellState state = {torch::rand({3, 2}), torch::rand({3, 2})};
  const CellState selected = state.Select(torch::tensor({2, 0, 2, 1}));
  const int64_t rows[] = {2, 0, 2, 1};
  for (int64_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(torch::equal(selected.hidden[i], state.hidden[rows[i]]));
    EXPECT_TRUE(torch::equal(selected.memory[i], state.memory[rows[i]]));
  }
}

}  // namespace
}  // namespace seq2seq
