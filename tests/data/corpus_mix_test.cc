#include "seq2seq/data/corpus_mix.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/data/source_encoder.h"
#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::Each;
using ::testing::Pair;

class CorpusMixTest : public ::testing::Test {
 protected:
  // `count` different sentences.
  Corpus Build(const std::string& name, int count) const {
    std::string text = SampleText();
    size_t end = 0;
    for (int line = 0; line < count; ++line) end = text.find('\n', end) + 1;
    const std::string path = folder_.Write(name, text.substr(0, end));
    absl::StatusOr<Corpus> corpus = Corpus::Build({path, path}, EncodeText(tokenizer_), tokenizer_,
                                                  {}, folder_ / (name + ".cache"));
    EXPECT_TRUE(corpus.ok()) << corpus.status();
    return *std::move(corpus);
  }

  // How often each pair comes in the epochs from 0 to `epochs`.
  static std::map<int64_t, int64_t> Counts(const CorpusMix& mix, int64_t epochs) {
    std::map<int64_t, int64_t> counts;
    for (int64_t epoch = 0; epoch < epochs; ++epoch) {
      for (const int64_t pair : mix.Epoch(1, epoch)) ++counts[pair];
    }
    return counts;
  }

  const TemporaryFolder folder_;
  const Tokenizer tokenizer_ = *Learn(SampleText());
  const Corpus large_ = Build("large", 20);
  const Corpus small_ = Build("small", 8);
};

TEST_F(CorpusMixTest, HoldsThePairsOfAllOneBehindTheOther) {
  const CorpusMix mix({&large_, &small_}, {1, 2});
  ASSERT_EQ(mix.size(), 28);
  for (int64_t i = 0; i < 28; ++i) {
    const Example expected = i < 20 ? large_[i] : small_[i - 20];
    EXPECT_EQ(mix[i].source, expected.source);
    EXPECT_EQ(mix[i].target, expected.target);
  }
}

TEST_F(CorpusMixTest, OneCorpusIsItselfInItsOrder) {
  const CorpusMix mix(large_);
  const std::vector<uint32_t> epoch = mix.Epoch(1, 3);
  ASSERT_EQ(epoch.size(), 20u);
  EXPECT_TRUE(std::is_sorted(epoch.begin(), epoch.end()));
  EXPECT_EQ(mix.content(), large_.content());
}

TEST_F(CorpusMixTest, PairsComeAsOftenAsTheirWeightSays) {
  const CorpusMix mix({&large_, &small_}, {0.25, 2.5});
  EXPECT_EQ(mix.Epoch(1, 0).size(), 5u + 20u);
  const auto counts = Counts(mix, 4);
  ASSERT_EQ(counts.size(), 28u);
  for (const auto& [pair, count] : counts) EXPECT_EQ(count, pair < 20 ? 1 : 10) << pair;
}

TEST_F(CorpusMixTest, EveryEpochHasSomethingHoweverSmallTheWeight) {
  const CorpusMix mix({&small_}, {0.001});
  EXPECT_EQ(mix.Epoch(1, 0).size(), 1u);
  EXPECT_THAT(Counts(mix, 8), Each(Pair(::testing::_, 1)));
}

TEST_F(CorpusMixTest, ContentTellsWeightsAndOrder) {
  const uint64_t content = CorpusMix({&large_, &small_}, {1, 2}).content();
  EXPECT_EQ(CorpusMix({&large_, &small_}, {1, 2}).content(), content);
  EXPECT_NE(CorpusMix({&large_, &small_}, {1, 3}).content(), content);
  EXPECT_NE(CorpusMix({&small_, &large_}, {1, 2}).content(), content);
}

}  // namespace
}  // namespace seq2seq
