#include "seq2seq/data/batch.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "tests/testing/learn.h"
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

TEST(Collate, WithNoiseTheSourceIsTheCorruptedTarget) {
  const Tokenizer tokenizer = *Learn(SampleText());
  const std::vector<int32_t> text = tokenizer.Encode("der Hund rennt im Garten.");
  const std::vector<Example> examples = {{{}, text}, {{}, kShort}};
  const Noise noise(Objective::kDenoising, {}, tokenizer);
  const std::vector<int32_t> source = noise.Corrupt(text, 5).source;
  const std::vector<int32_t> other = noise.Corrupt(kShort, 6).source;
  const Batch batch = Collate(examples, noise, {5, 6});
  const Batch expected = Collate({{source, text}, {other, kShort}});
  EXPECT_TRUE(Same(batch.source, expected.source));
  EXPECT_TRUE(Same(batch.target_input, expected.target_input));
  EXPECT_TRUE(Same(batch.target_output, expected.target_output));
  EXPECT_EQ(batch.target_tokens, expected.target_tokens);
}

TEST(Collate, MaskedTargetsArePositionsAndTheirSubwords) {
  const Tokenizer tokenizer = *Learn(SampleText());
  const std::vector<int32_t> text = tokenizer.Encode("der Hund rennt im Garten.");
  const Noise noise(Objective::kMasked, {.mask = 0.5}, tokenizer);
  const Batch batch = Collate({{{}, text}, {{}, kShort}}, noise, {5, 6});
  const NoisyText noisy = noise.Corrupt(text, 5);
  const auto chosen = static_cast<int64_t>(noisy.positions.size());
  ASSERT_GT(chosen, 1);
  EXPECT_EQ(batch.source[0][static_cast<int64_t>(text.size())].item<int64_t>(), kEosId);
  EXPECT_EQ(batch.target_tokens, chosen + 1);
  EXPECT_TRUE(Same(batch.target_lengths, torch::tensor({chosen, int64_t{1}})));
  for (int64_t i = 0; i < chosen; ++i) {
    const int64_t position = batch.target_input[0][i].item<int64_t>();
    EXPECT_EQ(position, noisy.positions[static_cast<size_t>(i)]);
    EXPECT_EQ(batch.target_output[0][i].item<int64_t>(), text[static_cast<size_t>(position)]);
  }
  EXPECT_EQ(batch.target_output[1][0].item<int64_t>(), kShort[0]);
  EXPECT_EQ(batch.target_output[1][1].item<int64_t>(), kPadId);
}

// An array of these floats.
Array Floats(std::vector<int64_t> shape, const std::vector<float>& values) {
  Array array = Array::Empty(ArrayType::kFloat32, std::move(shape));
  std::copy(values.begin(), values.end(), array.values<float>());
  return array;
}

TEST(CollateSources, OfTextEqualsTheSourceSideOfCollate) {
  const Batch both = Collate({{kShort, kLong}, {kLong, kShort}});
  const SourceInput one = {.ids = kShort}, other = {.ids = kLong};
  const Batch sources = CollateSources({&one, &other});
  EXPECT_TRUE(Same(sources.source, both.source));
  EXPECT_TRUE(Same(sources.source_lengths, both.source_lengths));
  EXPECT_FALSE(sources.target_input.defined());
  EXPECT_FALSE(sources.target_output.defined());
  EXPECT_EQ(sources.target_tokens, 0);
}

TEST(CollateSources, OfNothingIsEmptySentences) {
  const SourceInput one = {.prompt = kShort}, other = {.prompt = kLong};
  const Batch batch = CollateSources({&one, &other});
  EXPECT_EQ(batch.size(), 2);
  EXPECT_TRUE(Same(batch.source, Ids({{kEosId}, {kEosId}})));
  EXPECT_TRUE(Same(batch.source_lengths, torch::tensor({1, 1}, torch::kInt64)));
}

TEST(CollateSources, OfFeaturesCountsPositions) {
  const SourceInput one = {.file = "a.npy", .values = Floats({2, 3}, {0, 1, 2, 3, 4, 5})};
  const SourceInput other = {.file = "b.npy", .values = Floats({2, 3}, {6, 7, 8, 9, 10, 11})};
  const Batch batch = CollateSources({&one, &other});
  EXPECT_EQ(batch.size(), 2);
  EXPECT_TRUE(Same(batch.values, torch::arange(12).to(torch::kFloat32).view({2, 2, 3})));
  EXPECT_TRUE(Same(batch.source_lengths, torch::tensor({2, 2}, torch::kInt64)));
  EXPECT_FALSE(batch.source.defined());
}

TEST(CollateSources, OfPixelsLeavesPositionsToTheNetwork) {
  const SourceInput image = {.file = "a.png", .values = Floats({3, 1, 1}, {0, 1, 2})};
  const Batch batch = CollateSources({&image});
  EXPECT_TRUE(Same(batch.values, torch::arange(3).to(torch::kFloat32).view({1, 3, 1, 1})));
  EXPECT_FALSE(batch.source_lengths.defined());
}

TEST(CollateSources, DifferentShapesAreRefused) {
  const SourceInput one = {.file = "a.npy", .values = Floats({1, 2}, {0, 1})};
  const SourceInput other = {.file = "b.npy", .values = Floats({2, 1}, {0, 1})};
  EXPECT_THROW(CollateSources({&one, &other}), c10::Error);
  EXPECT_THROW(CollateSources({}), c10::Error);
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
  const SourceInput input = {.ids = kShort};
  EXPECT_FALSE(CollateSources({&input}).To(torch::kMeta).target_input.defined());
}

}  // namespace
}  // namespace seq2seq
