#include "seq2seq/data/split_batch.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

namespace seq2seq {
namespace {

double Positions(const BatchShape& shape) {
  return static_cast<double>(shape.rows * (shape.source + shape.target));
}

// A batch of sources and targets of these lengths, without eos.
Batch MakeBatchOf(const std::vector<size_t>& lengths) {
  std::vector<std::vector<int32_t>> sentences;
  for (const size_t length : lengths)
    sentences.emplace_back(length, static_cast<int32_t>(10 + sentences.size()));
  std::vector<Example> examples;
  for (const std::vector<int32_t>& sentence : sentences) examples.push_back({sentence, sentence});
  return Collate(examples);
}

TEST(SplitBatch, OneThatFitsStaysAsItIs) {
  const Batch batch = MakeBatchOf({2, 3});
  const std::vector<Batch> parts = SplitBatch(batch, Positions, 16);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_TRUE(parts[0].source.is_same(batch.source));
}

TEST(SplitBatch, PartsAreThoseThatCollatingTheirRowsMakes) {
  const std::vector<Batch> parts = SplitBatch(MakeBatchOf({1, 2, 3, 4, 5}), Positions, 24);
  ASSERT_EQ(parts.size(), 3u);  // Of 1, 2 and 2 rows: 4, 16 and 24 positions.
  for (const auto& [part, lengths] :
       std::vector<std::pair<size_t, std::vector<size_t>>>{{0, {1}}, {1, {2, 3}}, {2, {4, 5}}}) {
    const Batch expected = MakeBatchOf(lengths);
    const Batch& found = parts[part];
    EXPECT_EQ(found.source.sizes(), expected.source.sizes());
    EXPECT_TRUE(torch::equal(found.source.ne(0), expected.source.ne(0)));
    EXPECT_TRUE(torch::equal(found.source_lengths, expected.source_lengths));
    EXPECT_TRUE(torch::equal(found.target_lengths, expected.target_lengths));
    EXPECT_EQ(found.target_input.sizes(), expected.target_input.sizes());
    EXPECT_EQ(found.target_output.sizes(), expected.target_output.sizes());
    EXPECT_EQ(found.target_tokens, expected.target_tokens);
    EXPECT_TRUE(found.source.is_contiguous());
  }
}

TEST(SplitBatch, HoldsEveryRowOnceWhateverTheBound) {
  const Batch batch = MakeBatchOf({7, 1, 4, 4, 2, 9, 3});
  for (int bound = 1; bound < 150; ++bound) {
    std::vector<torch::Tensor> lengths;
    for (const Batch& part : SplitBatch(batch, Positions, bound)) {
      EXPECT_TRUE(part.size() == 1 || Positions(ShapeOf(part)) <= bound) << bound;
      lengths.push_back(part.target_lengths);
    }
    EXPECT_TRUE(torch::equal(torch::cat(lengths), batch.target_lengths)) << bound;
  }
}

TEST(SplitBatch, ImagesGoWithTheirRows) {
  Batch batch = MakeBatchOf({2, 2, 2});
  batch.values = torch::arange(3).reshape({3, 1, 1});
  const std::vector<Batch> parts = SplitBatch(batch, Positions, 1);
  ASSERT_EQ(parts.size(), 3u);
  for (int64_t i = 0; i < 3; ++i)
    EXPECT_EQ(parts[static_cast<size_t>(i)].values.item<int64_t>(), i);
}

}  // namespace
}  // namespace seq2seq
