#include "seq2seq/model/dropout.h"

#include "gtest/gtest.h"
#include <torch/torch.h>

namespace seq2seq {
namespace {

TEST(DropoutSequence, VariationalLeavesOutTheSameAtEachStep) {
  torch::manual_seed(1);
  const torch::Tensor ones = torch::ones({5, 3, 40});
  const torch::Tensor dropped =
      DropoutSequence(ones, 0.25, /*variational=*/true, /*training=*/true);
  for (int64_t step = 1; step < 5; ++step) EXPECT_TRUE(torch::equal(dropped[step], dropped[0]));
  EXPECT_FALSE(torch::equal(dropped[0][0], dropped[0][1]));
  EXPECT_NEAR(dropped.mean().item<double>(), 1, 0.15);
  EXPECT_NEAR(dropped.max().item<double>(), 1 / 0.75, 1e-6);
  EXPECT_TRUE(torch::equal(DropoutSequence(ones, 0.25, true, /*training=*/false), ones));
}

TEST(DropoutSequence, PlainLeavesOutOthersAtEachStep) {
  torch::manual_seed(1);
  const torch::Tensor dropped = DropoutSequence(torch::ones({5, 3, 40}), 0.25, false, true);
  EXPECT_FALSE(torch::equal(dropped[0], dropped[1]));
}

}  // namespace
}  // namespace seq2seq
