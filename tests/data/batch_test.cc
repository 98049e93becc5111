#include "seq2seq/data/batch.h"

#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

// Whether two tensors have the same type, shape and values.
bool Same(const torch::Tensor& a, const torch::Tensor& b) {
  return a.dtype() == b.dtype() && a.sizes() == b.sizes() && torch::equal(a, b);
}

torch::Tensor Ids(std::vector<std::vector<int64_t>> rows) {
  std::vector<torch::Tensor> tensors;
  for (const auto& row : rows) tensors.push_back(torch::tensor(row, torch::kInt64));
  return torch::stack(tensors);
}

const std::vector<int32_t> kShort = {10};
const std::vector<int32_t> kLong = {20, 21, 22};

TEST(Collate, PadsOnTheRightWithBosInFrontAndEosAtTheEnd) {
  const Batch batch = Collate({{kShort, kLong}, {kLong, kShort}});
  EXPECT_EQ(batch.size(), 2);
  EXPECT_TRUE(Same(batch.source, Ids({{10, kEosId, kPadId, kPadId}, {20, 21, 22, kEosId}})));
  EXPECT_TRUE(Same(batch.target_input, Ids({{kBosId, 20, 21, 22}, {kBosId, 10, kPadId, kPadId}})));
  EXPECT_TRUE(Same(batch.target_output, Ids({{20, 21, 22, kEosId}, {10, kEosId, kPadId, kPadId}})));
}

TEST(Collate, LengthsCountEosAndNoPadding) {
  const Batch batch = Collate({{kShort, kLong}, {kLong, kLong}});
  EXPECT_TRUE(Same(batch.source_lengths, torch::tensor({2, 4}, torch::kInt64)));
  EXPECT_EQ(batch.target_tokens, 8);
  EXPECT_TRUE(Same(batch.source.ne(kPadId).sum(1), batch.source_lengths));
  EXPECT_EQ(batch.target_output.ne(kPadId).sum().item<int64_t>(), batch.target_tokens);
}

TEST(Collate, SidesAreAsLongAsTheirOwnLongest) {
  const Batch batch = Collate({{kShort, kLong}});
  EXPECT_EQ(batch.source.sizes(), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(batch.target_input.sizes(), (std::vector<int64_t>{1, 4}));
  EXPECT_EQ(batch.target_output.sizes(), (std::vector<int64_t>{1, 4}));
}

TEST(Collate, EmptySentencesAreEosAlone) {
  const Batch batch = Collate({{{}, {}}});
  EXPECT_TRUE(Same(batch.source, Ids({{kEosId}})));
  EXPECT_TRUE(Same(batch.target_input, Ids({{kBosId}})));
  EXPECT_TRUE(Same(batch.target_output, Ids({{kEosId}})));
  EXPECT_EQ(batch.target_tokens, 1);
}

TEST(CollateSources, EqualsTheSourceSideOfCollate) {
  const Batch both = Collate({{kShort, kLong}, {kLong, kShort}});
  const Batch sources = CollateSources({kShort, kLong});
  EXPECT_TRUE(Same(sources.source, both.source));
  EXPECT_TRUE(Same(sources.source_lengths, both.source_lengths));
  EXPECT_FALSE(sources.target_input.defined());
  EXPECT_FALSE(sources.target_output.defined());
  EXPECT_EQ(sources.target_tokens, 0);
}

TEST(Batch, ToKeepsLengthsOnTheCpuAndSkipsWhatIsMissing) {
  const Batch batch = Collate({{kShort, kLong}});
  const Batch moved = batch.To(torch::kMeta);
  EXPECT_TRUE(moved.source.is_meta());
  EXPECT_TRUE(moved.target_input.is_meta());
  EXPECT_TRUE(moved.target_output.is_meta());
  EXPECT_TRUE(moved.source_lengths.is_cpu());
  EXPECT_EQ(moved.target_tokens, batch.target_tokens);
  EXPECT_TRUE(batch.source.is_cpu());
  EXPECT_FALSE(CollateSources({kShort}).To(torch::kMeta).target_input.defined());
}

}  // namespace
}  // namespace seq2seq
