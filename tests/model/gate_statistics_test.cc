#include "seq2seq/model/gate_statistics.h"

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/model/cell.h"
#include "seq2seq/ops/compute.h"

namespace seq2seq {
namespace {

// Biases alone decide the gates of `cell`, gate after gate.
void SetGates(Cell& cell, const std::vector<double>& biases) {
  const torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : cell->parameters()) parameter.zero_();
  for (size_t gate = 0; gate < biases.size(); ++gate) {
    cell->cell_parameters()
        .bias_ih.narrow(0, static_cast<int64_t>(gate) * cell->hidden(), cell->hidden())
        .fill_(biases[gate]);
  }
}

double ShareOf(Cell& cell) {
  const ComputeGuard guard({.fused = false});
  GateStatistics statistics;
  RunCell(cell, torch::zeros({3, 2, 4}));
  return statistics.counts().at(cell.get()).Share();
}

TEST(GateStatistics, CountsGatesThatAreNearlyOpenOrShut) {
  Cell lstm = MakeCell(CellKind::kLstm, 4, 5, 0);
  SetGates(lstm, {0, 0, 9, 0});  // The third is no gate.
  EXPECT_EQ(ShareOf(lstm), 0);
  SetGates(lstm, {3, 0, 0, -3});  // 0.953 and 0.047.
  EXPECT_DOUBLE_EQ(ShareOf(lstm), 2.0 / 3);
  SetGates(lstm, {2.9, 0, 0, -2.9});
  EXPECT_EQ(ShareOf(lstm), 0);
  for (const CellKind kind : {CellKind::kGru, CellKind::kCoupled, CellKind::kLayerNormLstm}) {
    Cell cell = MakeCell(kind, 4, 5, 0);
    SetGates(cell, {9});
    EXPECT_GT(ShareOf(cell), 0) << static_cast<int>(kind);
  }
}

TEST(GateStatistics, TheLatestCounts) {
  const ComputeGuard guard({.fused = false});
  Cell cell = MakeCell(CellKind::kLstm, 4, 5, 0);
  const auto run = [&](int64_t steps) { RunCell(cell, torch::zeros({steps, 2, 4})); };
  run(1);
  GateStatistics outer;
  EXPECT_TRUE(outer.counts().empty());
  run(2);
  {
    GateStatistics inner;
    run(3);
    EXPECT_EQ(inner.counts().at(cell.get()).gates, 3 * 3 * 2 * 5);
  }
  EXPECT_EQ(outer.counts().at(cell.get()).gates, 2 * 3 * 2 * 5);
  run(1);
  EXPECT_EQ(outer.counts().at(cell.get()).gates, 3 * 3 * 2 * 5);
}

}  // namespace
}  // namespace seq2seq
