#include "seq2seq/train/freeze.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Two groups, the second of a pretrained network with the names of TorchScript.
std::vector<ParameterGroup> Groups() {
  const auto parameter = [] { return torch::zeros({2}).requires_grad_(); };
  ParameterGroup own, pretrained;
  for (const char* name : {"encoder.cell.weight", "encoder.cell_2.weight", "decoder.bias"})
    own.parameters.emplace(name, parameter());
  for (const char* name : {"network.conv/weight", "network.conv_2/weight"})
    pretrained.parameters.emplace(name, parameter());
  pretrained.pretrained = true;
  return {own, pretrained};
}

std::vector<std::string> TrainedNames(const std::vector<ParameterGroup>& groups) {
  std::vector<std::string> names;
  for (const ParameterGroup& group : groups) {
    for (const auto& [name, parameter] : group.parameters) {
      if (parameter.requires_grad()) names.push_back(name);
    }
  }
  return names;
}

TEST(Freeze, TakesModulesAndParametersByTheirWholeNames) {
  TrainOptions options;
  options.freeze = {"encoder.cell", "decoder.bias", "network.conv"};
  const std::vector<ParameterGroup> groups = Groups();
  const absl::Status status = Freeze(options, groups);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(TrainedNames(groups), ElementsAre("encoder.cell_2.weight", "network.conv_2/weight"));
}

TEST(Freeze, NamesOfNothingAreNamed) {
  TrainOptions options;
  options.freeze = {"encoder.cel"};
  const std::vector<ParameterGroup> groups = Groups();
  EXPECT_THAT(std::string(Freeze(options, groups).message()),
              AllOf(HasSubstr("train.freeze"), HasSubstr("'encoder.cel'")));
  EXPECT_EQ(TrainedNames(groups).size(), 5u);
}

TEST(Freeze, SomethingMustBeTrainedFromTheFirstUpdateOn) {
  TrainOptions options;
  options.freeze = {"encoder", "decoder"};
  EXPECT_TRUE(Freeze(options, Groups()).ok());
  options.fine_tune.from = 10;
  EXPECT_THAT(std::string(Freeze(options, Groups()).message()), HasSubstr("nothing to train"));
}

TEST(FineTuned, ArePretrainedParametersThatAreNotFrozen) {
  TrainOptions options;
  options.freeze = {"network.conv", "encoder"};
  const TensorMap tuned = FineTuned(options, Groups());
  ASSERT_EQ(tuned.size(), 1u);
  EXPECT_EQ(tuned.begin()->first, "network.conv_2/weight");
  options.freeze = {"network"};
  EXPECT_THAT(FineTuned(options, Groups()), IsEmpty());
}

}  // namespace
}  // namespace seq2seq
