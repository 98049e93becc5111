#include "seq2seq/data/loader.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/data/batch.h"
#include "seq2seq/data/bucket.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/noise.h"
#include "seq2seq/data/source_encoder.h"
#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

constexpr uint64_t kSeed = 7;

bool Same(const Batch& a, const Batch& b) {
  return torch::equal(a.source, b.source) && torch::equal(a.source_lengths, b.source_lengths) &&
         torch::equal(a.target_input, b.target_input) &&
         torch::equal(a.target_output, b.target_output) && a.target_tokens == b.target_tokens;
}

// 200 pairs in 29 batches.
class LoaderTest : public ::testing::Test {
 protected:
  static Corpus Build(const TemporaryFolder& folder) {
    const Tokenizer tokenizer = *Learn(SampleText());
    const std::string path = folder.Write("text", SampleText());
    absl::StatusOr<Corpus> corpus =
        Corpus::Build({path, path}, EncodeText(tokenizer), tokenizer, {}, folder / "cache");
    EXPECT_TRUE(corpus.ok()) << corpus.status();
    return *std::move(corpus);
  }

  BatchPlan Plan(int64_t epoch) const {
    const CorpusMix mix(corpus_);
    return PlanBatches(
        mix.Epoch(kSeed, epoch), [&](uint32_t pair) { return mix.length(pair); }, options_, kSeed,
        epoch);
  }

  Batch CollateOf(absl::Span<const uint32_t> pairs) const {
    std::vector<Example> examples;
    for (const uint32_t pair : pairs) examples.push_back(corpus_[pair]);
    return Collate(examples);
  }

  // The first `count` batches from `start`.
  std::vector<Loader::Item> Take(int64_t count, LoaderPosition start = {}) const {
    Loader loader(corpus_, options_, kSeed, start);
    std::vector<Loader::Item> items;
    for (int64_t i = 0; i < count; ++i) items.push_back(loader.Next());
    return items;
  }

  const TemporaryFolder folder_;
  const Corpus corpus_ = Build(folder_);
  const BucketOptions options_ = {7, BatchUnit::kSentences, 50};
};

TEST_F(LoaderTest, GivesTheBatchesOfThePlanEpochAfterEpoch) {
  Loader loader(corpus_, options_, kSeed);
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    const BatchPlan plan = Plan(epoch);
    for (int64_t i = 0; i < plan.size(); ++i) {
      const Loader::Item item = loader.Next();
      const Batch expected = CollateOf(plan[i]);
      EXPECT_TRUE(Same(*item.batch, expected));
      EXPECT_EQ(item.tokens, expected.target_tokens);
    }
  }
}

TEST_F(LoaderTest, AsksForTheImagesOfEachBatchWithASeedOfItsOwn) {
  std::set<uint64_t> seeds;
  const ImageReader read = [&](absl::Span<const int64_t> images, std::optional<uint64_t> seed) {
    seeds.insert(seed.value());
    return torch::tensor(std::vector<int64_t>(images.begin(), images.end()));
  };
  {
    Loader loader(corpus_, options_, kSeed, {}, {read, {}, {}, {}});
    for (int i = 0; i < 5; ++i) {
      const Batch batch = *loader.Next().batch;
      EXPECT_TRUE(batch.values.equal(batch.source.select(1, 0)));
    }
  }
  EXPECT_GE(seeds.size(), 5);
  EXPECT_EQ(seeds.count(0), 0);
}

TEST_F(LoaderTest, SamplesSubwordsAnewInEachEpochAndTheSameInEachRun) {
  const Tokenizer tokenizer = *Learn(SampleText());
  // One batch, of all, an epoch.
  BucketOptions all = options_;
  all.size = corpus_.size();
  const auto take = [&](const ExampleTransforms& with, int64_t epoch) {
    return Loader(corpus_, all, kSeed, {epoch, 0}, with).Next().batch.value();
  };
  // The subwords of each text, on one side.
  const auto subwords = [&](const Batch& batch, bool source) {
    const torch::Tensor& side = source ? batch.source : batch.target_output;
    const torch::Tensor& lengths = source ? batch.source_lengths : batch.target_lengths;
    std::map<std::string, std::vector<int32_t>> found;
    for (int64_t row = 0; row < batch.size(); ++row) {
      const torch::Tensor ids = side[row].to(torch::kInt32).contiguous();
      const auto* data = ids.data_ptr<int32_t>();
      const std::vector<int32_t> sentence(data, data + lengths[row].item<int64_t>() - 1);
      found[tokenizer.Decode(sentence)] = sentence;
    }
    return found;
  };
  const Batch plain = take({}, 3);
  for (const bool source : {true, false}) {
    ExampleTransforms transforms;
    (source ? transforms.source : transforms.target) = SubwordSampler(tokenizer, 0.1, 100);
    const Batch sampled = take(transforms, 3);
    EXPECT_TRUE(Same(take(transforms, 3), sampled));
    EXPECT_EQ(subwords(sampled, !source), subwords(plain, !source));
    const auto first = subwords(sampled, source), second = subwords(take(transforms, 4), source);
    ASSERT_EQ(first.size(), subwords(plain, source).size());
    int64_t changed = 0;
    for (const auto& [text, sentence] : subwords(plain, source)) {
      ASSERT_EQ(first.count(text), 1u) << text;
      ASSERT_EQ(second.count(text), 1u) << text;
      changed += first.at(text) != second.at(text) ? 1 : 0;
    }
    EXPECT_GT(changed, corpus_.size() / 2);
  }
}

TEST_F(LoaderTest, BothSidesOfACopiedSentenceAreSampledByThemselves) {
  const Tokenizer tokenizer = *Learn(SampleText());
  const SubwordSampler sampler(tokenizer, 0.1, 100);
  Loader loader(corpus_, options_, kSeed, {}, {{}, sampler, sampler, {}});
  int64_t differ = 0;
  for (int64_t i = 0; i < loader.batches_per_epoch(); ++i) {
    const Batch batch = *loader.Next().batch;
    for (int64_t row = 0; row < batch.size(); ++row) {
      const int64_t length = batch.source_lengths[row].item<int64_t>();
      differ += length != batch.target_lengths[row].item<int64_t>() ||
                        !torch::equal(batch.source[row].narrow(0, 0, length),
                                      batch.target_output[row].narrow(0, 0, length))
                    ? 1
                    : 0;
    }
  }
  EXPECT_GT(differ, corpus_.size() / 2);
}

TEST_F(LoaderTest, NoiseIsAnewInEachEpochAndTheSameInEachRunAndForAllProcesses) {
  const Tokenizer tokenizer = *Learn(SampleText());
  for (const Objective objective : {Objective::kMasked, Objective::kDenoising}) {
    ExampleTransforms transforms;
    transforms.noise = Noise(objective, {}, tokenizer);
    const auto take = [&](LoaderPosition start, DataShare share) {
      return Loader(corpus_, options_, kSeed, start, transforms, 8, share).Next().batch.value();
    };
    const Batch batch = take({2, 3}, {});
    EXPECT_TRUE(Same(take({2, 3}, {}), batch));
    EXPECT_FALSE(Same(take({3, 3}, {}), batch));
    // Rows of the second of two processes.
    const Batch share = take({2, 3}, {1, 2});
    const int64_t rows = share.size();
    EXPECT_TRUE(torch::equal(share.target_lengths, batch.target_lengths.slice(0, -rows)));
    EXPECT_TRUE(torch::equal(share.target_output, batch.target_output.slice(0, -rows).narrow(
                                                      1, 0, share.target_output.size(1))));
    EXPECT_TRUE(torch::equal(share.source,
                             batch.source.slice(0, -rows).narrow(1, 0, share.source.size(1))));
  }
}

TEST_F(LoaderTest, MixesCorporaByTheirWeights) {
  const CorpusMix mix({&corpus_, &corpus_}, {1, 0.5});
  Loader loader(mix, options_, kSeed);
  int64_t sentences = 0;
  for (int64_t i = 0; i < loader.batches_per_epoch(); ++i) sentences += loader.Next().batch->size();
  EXPECT_EQ(sentences, corpus_.size() * 3 / 2);
}

TEST_F(LoaderTest, ProcessesShareEveryBatchInItsOrder) {
  const int64_t ranks = 3;
  std::vector<std::unique_ptr<Loader>> loaders;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    loaders.push_back(std::make_unique<Loader>(corpus_, options_, kSeed, LoaderPosition(),
                                               ExampleTransforms(), 8, DataShare{rank, ranks}));
  }
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    const BatchPlan plan = Plan(epoch);
    for (int64_t i = 0; i < plan.size(); ++i) {
      size_t begin = 0;
      for (const auto& loader : loaders) {
        const Loader::Item item = loader->Next();
        EXPECT_EQ(item.tokens, CollateOf(plan[i]).target_tokens);
        if (!item.batch) continue;
        const auto rows = static_cast<size_t>(item.batch->size());
        ASSERT_LE(begin + rows, plan[i].size());
        EXPECT_TRUE(Same(*item.batch, CollateOf(plan[i].subspan(begin, rows))));
        begin += rows;
      }
      EXPECT_EQ(begin, plan[i].size());
    }
  }
}

TEST(RowsOf, DealsOutWholeBatchesAndCutsTheRest) {
  using Rows = std::pair<int64_t, int64_t>;
  // Five batches of eight an update, two processes: two each, and half of the last.
  for (const int64_t update : {0, 1}) {
    for (const int64_t rank : {0, 1}) {
      const DataShare share = {rank, 2, 5};
      for (int64_t i = 0; i < 4; ++i)
        EXPECT_EQ(RowsOf(share, 5 * update + i, 8), (i % 2 == rank ? Rows(0, 8) : Rows(0, 0)));
      EXPECT_EQ(RowsOf(share, 5 * update + 4, 8), Rows(4 * rank, 4 * rank + 4));
    }
  }
}

TEST(RowsOf, BatchesOfFewerRowsThanProcessesLeaveSomeWithout) {
  int64_t rows = 0;
  for (int64_t rank = 0; rank < 7; ++rank) {
    const auto [begin, end] = RowsOf({rank, 7, 1}, 0, 3);
    EXPECT_EQ(begin, rows);
    rows = end;
  }
  EXPECT_EQ(rows, 3);
}

TEST_F(LoaderTest, StreamFromAnyPositionEqualsTheOneFromTheStart) {
  const int64_t total = 70;  // Into the third epoch.
  const std::vector<Loader::Item> all = Take(total);
  for (size_t begin = 1; begin < all.size(); ++begin) {
    const std::vector<Loader::Item> rest =
        Take(total - static_cast<int64_t>(begin), all[begin - 1].next);
    for (size_t i = 0; i < rest.size(); ++i) {
      ASSERT_TRUE(Same(*rest[i].batch, *all[begin + i].batch)) << begin << " " << i;
      ASSERT_EQ(rest[i].next.epoch, all[begin + i].next.epoch);
      ASSERT_EQ(rest[i].next.batch, all[begin + i].next.batch);
    }
  }
}

TEST_F(LoaderTest, PositionsCountBatchesWithinTheEpoch) {
  Loader loader(corpus_, options_, kSeed);
  const int64_t batches = loader.batches_per_epoch();
  EXPECT_EQ(batches, Plan(0).size());
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    for (int64_t batch = 0; batch < batches; ++batch) {
      const LoaderPosition next = loader.Next().next;
      const bool last = batch + 1 == batches;
      EXPECT_EQ(next.epoch, last ? epoch + 1 : epoch);
      EXPECT_EQ(next.batch, last ? 0 : batch + 1);
    }
  }
}

TEST_F(LoaderTest, EndOfAnEpochIsTheStartOfTheNext) {
  const int64_t batches = Loader(corpus_, options_, kSeed).batches_per_epoch();
  EXPECT_TRUE(Same(*Take(1, {0, batches})[0].batch, *Take(1, {1, 0})[0].batch));
}

TEST_F(LoaderTest, StreamDoesNotDependOnPrefetch) {
  const std::vector<Loader::Item> expected = Take(40);
  for (const int64_t prefetch : {0, 1, 100}) {
    Loader loader(corpus_, options_, kSeed, {}, {}, prefetch);
    for (const Loader::Item& item : expected) ASSERT_TRUE(Same(*loader.Next().batch, *item.batch));
  }
}

TEST_F(LoaderTest, PaddingShareIsThatOfThePlanWithEos) {
  const auto length = [&](uint32_t pair) {
    return PairLength{static_cast<int32_t>(corpus_.source_length(pair) + 1),
                      static_cast<int32_t>(corpus_.target_length(pair) + 1)};
  };
  EXPECT_DOUBLE_EQ(Loader(corpus_, options_, kSeed, {2, 0}).padding_share(),
                   PaddingShare(length, Plan(2)));
}

TEST_F(LoaderTest, TakesTheLengthOfTheFirstEpochFromAnEarlierLoader) {
  EXPECT_EQ(Loader(corpus_, options_, kSeed, {2, 0}).batches_per_epoch(), Plan(0).size());
  EXPECT_EQ(Loader(corpus_, options_, kSeed, {2, 0}, {}, 8, {}, 77).batches_per_epoch(), 77);
}

TEST_F(LoaderTest, EndsWhetherFullOrFilling) {
  for (const int64_t prefetch : {1, 3, 100'000}) {
    for (const int64_t taken : {0, 1, 40}) {
      Loader loader(corpus_, options_, kSeed, {}, {}, prefetch);
      for (int64_t i = 0; i < taken; ++i) loader.Next();
    }
  }
}

}  // namespace
}  // namespace seq2seq
