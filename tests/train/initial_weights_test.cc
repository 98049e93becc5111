#include "seq2seq/train/initial_weights.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/model/parameters.h"
#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_model.h"
#include "tests/train/lines.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

class SetInitialWeightsTest : public ::testing::Test {
 protected:
  SetInitialWeightsTest() {
    model_options_.source_vocab = model_options_.target_vocab = words_->size();
  }

  // A model whose parameters have `type`; the matrices are transposed in memory.
  Model InOtherLayout(torch::ScalarType type) const {
    Model model = TinyModel(model_options_, torch::kFloat32);
    for (auto& [name, parameter] : Parameters(*model)) {
      if (parameter.dim() == 2) torch::Tensor(parameter).set_data(parameter.t().contiguous().t());
    }
    model->to(type);
    return model;
  }

  absl::Status Set(Model& model) const {
    return SetInitialWeights(options_, words_, *words_, model);
  }

  const std::optional<Tokenizer> words_ = Learn(Lines(50, 1), TokenizerKind::kWord);
  const TemporaryFolder folder_;
  ModelOptions model_options_ = TinyOptions();
  RunOptions options_;
};

TEST_F(SetInitialWeightsTest, ParametersOfEveryTypeAndLayoutTakeTheWeightsOfARun) {
  const Model theirs = TinyModel(model_options_, torch::kFloat32, /*seed=*/2);
  WriteRun(folder_, model_options_, *theirs);
  folder_.Write("source.model", words_->model());
  folder_.Write("target.model", words_->model());
  options_.init_from = folder_.path();
  for (const torch::ScalarType type : {torch::kFloat32, torch::kFloat64, torch::kFloat16}) {
    Model model = InOtherLayout(type);
    const absl::Status status = Set(model);
    ASSERT_TRUE(status.ok()) << status;
    for (const auto& [name, parameter] : Parameters(*model)) {
      EXPECT_EQ(parameter.scalar_type(), type) << name;
      EXPECT_TRUE(parameter.requires_grad()) << name;
      EXPECT_TRUE(parameter.equal(Parameters(*theirs).at(name).to(type))) << name;
    }
  }
}

TEST_F(SetInitialWeightsTest, EmbeddingsOfEveryTypeAndLayoutTakeWordVectors) {
  options_.target_vectors = folder_.Write("vectors", "a 1 2 3 4 5 6\nb 7 8 9 10 11 12\n");
  Model model = InOtherLayout(torch::kFloat64);
  const torch::Tensor before = Parameters(*model).at("decoder.embedding.weight").detach().clone();
  const absl::Status status = Set(model);
  ASSERT_TRUE(status.ok()) << status;
  const torch::Tensor embedding = Parameters(*model).at("decoder.embedding.weight");
  EXPECT_EQ(embedding.scalar_type(), torch::kFloat64);
  const torch::Tensor vector = torch::arange(1, 13, torch::kFloat64).view({2, 6});
  for (const char* word : {"a", "b"}) {
    const int64_t row = words_->Encode(word).at(0);
    EXPECT_TRUE(embedding[row].equal(vector[word[0] - 'a'])) << word;
  }
  const int64_t other = words_->Encode("c").at(0);
  EXPECT_LT(MaxDifference(embedding[other], before[other]), 1e-7);
}

TEST_F(SetInitialWeightsTest, ErrorsNameTheKey) {
  options_.init_from = folder_ / "gone";
  Model model = TinyModel(model_options_, torch::kFloat32);
  EXPECT_THAT(std::string(Set(model).message()), HasSubstr("train.init_from: "));
}

}  // namespace
}  // namespace seq2seq
