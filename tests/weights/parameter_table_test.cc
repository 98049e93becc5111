#include "seq2seq/weights/parameter_table.h"

#include <string>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/weights/array_values.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// The table with one space between columns, which are wide.
std::string NarrowTable(const ArrayMap& parameters) {
  std::string table = ParameterTable(parameters);
  while (absl::StrReplaceAll({{"  ", " "}}, &table) > 0) {
  }
  return table;
}

// A classifier: Embedding(1000, 64), LSTM(128), Linear(10), as torch.nn lays them out.
ArrayMap Classifier() {
  return {{"embedding.weight", Constant({1000, 64}, 0)},
          {"lstm.weight_ih", Constant({512, 64}, 0)},
          {"lstm.weight_hh", Constant({512, 128}, 0)},
          {"lstm.bias_ih", Constant({512}, 0)},
          {"lstm.bias_hh", Constant({512}, 0)},
          {"linear.weight", Constant({10, 128}, 0)},
          {"linear.bias", Constant({10}, 0)}};
}

TEST(ParameterTable, CountsTheParametersOfEachModule) {
  const std::string table = NarrowTable(Classifier());
  EXPECT_THAT(table, AllOf(HasSubstr(" parameter shape count\n"),
                           HasSubstr(" embedding.weight [1000, 64] 64,000\n = embedding 64,000\n"),
                           HasSubstr(" linear.bias [10] 10\n"), HasSubstr(" = linear 1,290\n")));
  EXPECT_THAT(
      table, AllOf(HasSubstr(" lstm.bias_hh [512] 512\n"),
                   HasSubstr(" lstm.weight_hh [512, 128] 65,536\n"),
                   HasSubstr(" lstm.weight_ih [512, 64] 32,768\n"), HasSubstr(" = lstm 99,328\n")));
  EXPECT_THAT(table, HasSubstr(" total 164,618\n"));
}

TEST(ParameterTable, ColumnsAreAligned) {
  EXPECT_EQ(ParameterTable({{"a.b", Constant({20, 60}, 0)}}),
            "  parameter               shape           count\n"
            "  a.b                  [20, 60]           1,200\n"
            "  = a                                     1,200\n"
            "  total                                   1,200\n");
}

TEST(ParameterTable, ModuleWithModulesInItCountsItsOwn) {
  EXPECT_THAT(NarrowTable({{"decoder.cell.bias", Constant({5}, 0)},
                           {"decoder.output", Constant({3}, 0)},
                           {"decoder.attentional.weight", Constant({2}, 0)}}),
              AllOf(HasSubstr(" = decoder.cell 5\n"), HasSubstr(" = decoder, its own 3\n"),
                    HasSubstr(" = decoder.attentional 2\n"), HasSubstr(" total 10\n")));
}

}  // namespace
}  // namespace seq2seq
