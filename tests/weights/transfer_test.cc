#include "seq2seq/weights/transfer.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(TransferWeights, TakesWhatFitsAndTellsOfTheRest) {
  const TensorMap from = {
      {"same", torch::ones({2, 3})}, {"larger", torch::ones({4})}, {"old", torch::ones({1})}};
  const TensorMap to = {
      {"same", torch::zeros({2, 3})}, {"larger", torch::zeros({5})}, {"new", torch::zeros({1})}};
  const TransferReport report = TransferWeights(from, {}, to, {});
  EXPECT_EQ(to.at("same").sum().item<float>(), 6);
  EXPECT_EQ(to.at("larger").sum().item<float>(), 0);
  EXPECT_THAT(report.taken, ElementsAre("same"));
  EXPECT_THAT(report.taken_in_part, IsEmpty());
  EXPECT_THAT(report.misfits, ElementsAre("larger [4] for [5]"));
  EXPECT_THAT(report.missing, ElementsAre("new"));
  EXPECT_THAT(report.unused, ElementsAre("old"));
  EXPECT_THAT(report.Lines(), ElementsAre("1 tensor copied", HasSubstr("larger"), HasSubstr("new"),
                                          HasSubstr("old")));
}

TEST(TransferWeights, FollowsPiecesToTheirPlaceInTheNewVocabulary) {
  const Vocabularies before = {{"a", "b", "c"}, {"x", "y"}};
  const Vocabularies now = {{"c", "new", "a", "b"}, {"x", "y"}};
  const TensorMap from = {{"encoder.embedding.weight", torch::tensor({{1.0f}, {2.0f}, {3.0f}})},
                          {"decoder.output_bias", torch::tensor({4.0f, 5.0f})}};
  const TensorMap to = {{"encoder.embedding.weight", torch::zeros({4, 1})},
                        {"decoder.output_bias", torch::zeros({2})}};
  const TransferReport report = TransferWeights(from, before, to, now);
  EXPECT_TRUE(torch::equal(to.at("encoder.embedding.weight").flatten(),
                           torch::tensor({3.0f, 0.0f, 1.0f, 2.0f})));
  EXPECT_THAT(report.taken_in_part, ElementsAre("encoder.embedding.weight (3 of 4 subwords)"));
  EXPECT_THAT(report.taken, ElementsAre("decoder.output_bias"));
}

TEST(TransferWeights, SameSizeOfAnotherVocabularyIsFollowedToo) {
  const TensorMap from = {{"decoder.output_bias", torch::tensor({4.0f, 5.0f})}};
  const TensorMap to = {{"decoder.output_bias", torch::zeros({2})}};
  TransferWeights(from, {{}, {"x", "y"}}, to, {{}, {"y", "x"}});
  EXPECT_TRUE(torch::equal(to.at("decoder.output_bias"), torch::tensor({5.0f, 4.0f})));
}

}  // namespace
}  // namespace seq2seq
