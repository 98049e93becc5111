#include "seq2seq/weights/transfer.h"

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/weights/array_values.h"

namespace seq2seq {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(TransferWeights, TakesWhatFitsAndTellsOfTheRest) {
  const ArrayMap from = {
      {"same", Constant({2, 3}, 1)}, {"larger", Constant({4}, 1)}, {"old", Constant({1}, 1)}};
  const ArrayMap to = {
      {"same", Constant({2, 3}, 0)}, {"larger", Constant({5}, 0)}, {"new", Constant({1}, 0)}};
  const TransferReport report = TransferWeights(from, {}, to, {});
  EXPECT_THAT(ValuesOf(to.at("same")), Each(1));
  EXPECT_THAT(ValuesOf(to.at("larger")), Each(0));
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
  const ArrayMap from = {{"encoder.embedding.weight", Floats({3, 2}, {1, -1, 2, -2, 3, -3})},
                         {"decoder.output_bias", Floats({2}, {4, 5})}};
  const ArrayMap to = {{"encoder.embedding.weight", Constant({4, 2}, 0)},
                       {"decoder.output_bias", Constant({2}, 0)}};
  const TransferReport report = TransferWeights(from, before, to, now);
  EXPECT_THAT(ValuesOf(to.at("encoder.embedding.weight")), ElementsAre(3, -3, 0, 0, 1, -1, 2, -2));
  EXPECT_THAT(report.taken_in_part, ElementsAre("encoder.embedding.weight (3 of 4 subwords)"));
  EXPECT_THAT(report.taken, ElementsAre("decoder.output_bias"));
}

TEST(TransferWeights, SameSizeOfAnotherVocabularyIsFollowedToo) {
  const ArrayMap from = {{"decoder.output_bias", Floats({2}, {4, 5})}};
  const ArrayMap to = {{"decoder.output_bias", Constant({2}, 0)}};
  TransferWeights(from, {{}, {"x", "y"}}, to, {{}, {"y", "x"}});
  EXPECT_THAT(ValuesOf(to.at("decoder.output_bias")), ElementsAre(5, 4));
}

TEST(TransferWeights, OtherTypesAreConverted) {
  const ArrayMap from = {
      {"half", ArrayOf<uint16_t>(ArrayType::kFloat16, {2}, {0x3C00, 0xC000})},
      {"decoder.output_bias", ArrayOf<double>(ArrayType::kFloat64, {2}, {4, 5})}};
  const ArrayMap to = {{"half", Constant({2}, 0)}, {"decoder.output_bias", Constant({2}, 0)}};
  TransferWeights(from, {{}, {"x", "y"}}, to, {{}, {"y", "z"}});
  EXPECT_THAT(ValuesOf(to.at("half")), ElementsAre(1, -2));
  EXPECT_THAT(ValuesOf(to.at("decoder.output_bias")), ElementsAre(5, 0));
}

TEST(TransferWeights, FewerRowsThanSubwordsAreAMisfit) {
  const ArrayMap from = {{"decoder.output_bias", Floats({2}, {4, 5})}};
  const ArrayMap to = {{"decoder.output_bias", Constant({2}, 0)}};
  const TransferReport report = TransferWeights(from, {{}, {"x", "y", "z"}}, to, {{}, {"z", "x"}});
  EXPECT_THAT(report.misfits, ElementsAre("decoder.output_bias [2] for [2]"));
  EXPECT_THAT(ValuesOf(to.at("decoder.output_bias")), Each(0));
}

}  // namespace
}  // namespace seq2seq
