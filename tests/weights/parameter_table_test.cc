#include "seq2seq/weights/parameter_table.h"

#include <string>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/model/cell.h"
#include "seq2seq/model/initialization.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A classifier of the toolkit's modules: Embedding(1000, 64), LSTM(128), Linear(10).
struct Classifier : torch::nn::Module {
  Classifier() {
    register_module("embedding", MakeEmbedding(1000, 64));
    register_module("lstm", MakeCell(CellKind::kLstm, 64, 128, 0));
    register_module("linear", MakeLinear(128, 10, /*bias=*/true));
  }
};

TEST(ParameterTable, CountsTheParametersOfEachModule) {
  // Columns are wide; words are enough.
  std::string table = ParameterTable(Parameters(Classifier()));
  while (absl::StrReplaceAll({{"  ", " "}}, &table) > 0) {
  }
  EXPECT_THAT(table, AllOf(HasSubstr(" parameter shape count\n"),
                           HasSubstr(" embedding.weight [1000, 64] 64,000\n = embedding 64,000\n"),
                           HasSubstr(" linear.bias [10] 10\n"), HasSubstr(" = linear 1,290\n")));
  EXPECT_THAT(
      table, AllOf(HasSubstr(" lstm.bias_hh [512] 512\n"),
                   HasSubstr(" lstm.weight_hh [512, 128] 65,536\n"),
                   HasSubstr(" lstm.weight_ih [512, 64] 32,768\n"), HasSubstr(" = lstm 99,328\n")));
  EXPECT_THAT(table, HasSubstr(" total 164,618\n"));
  // With one bias for each gate, as some count: the second is for the layout of torch.
  int64_t one_bias = 0;
  for (const auto& [name, parameter] : Parameters(Classifier())) {
    if (name.rfind("lstm.", 0) == 0 && name != "lstm.bias_hh") one_bias += parameter.numel();
  }
  EXPECT_EQ(one_bias, 98'816);
}

TEST(ParameterTable, ModuleWithModulesInItCountsItsOwn) {
  std::string table = ParameterTable({{"decoder.cell.bias", torch::zeros({5})},
                                      {"decoder.output", torch::zeros({3})},
                                      {"decoder.readout.weight", torch::zeros({2})}});
  while (absl::StrReplaceAll({{"  ", " "}}, &table) > 0) {
  }
  EXPECT_THAT(table, AllOf(HasSubstr(" = decoder.cell 5\n"), HasSubstr(" = decoder, its own 3\n"),
                           HasSubstr(" = decoder.attentional 2\n"), HasSubstr(" total 10\n")));
}

}  // namespace
}  // namespace seq2seq
