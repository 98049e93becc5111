#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/data/image_set.h"
#include "seq2seq/data/source_encoder.h"
#include "seq2seq/model/parameters.h"
#include "tests/testing/process_threads.h"
#include "tests/testing/script_file.h"
#include "tests/train/trainer_fixture.h"

namespace seq2seq {
namespace {

// Trains on captions of random pixels, and fine-tunes an image network from a file.
class FineTuneTest : public TrainerTest {
 protected:
  FineTuneTest() {
    std::string table;
    for (int i = 0; i < 12; ++i)
      absl::StrAppend(&table, "image-", i, "\ta b ", i % 2 ? "c" : "d", "\n");
    table_ = corpora_.Write("captions", table);
  }

  // The parameter of the network after so many updates, in so many processes.
  torch::Tensor ScaleAfter(int64_t updates, int64_t processes = 1) {
    const auto images = ImageSet::Open(corpora_.path(), {table_});
    EXPECT_TRUE(images.ok()) << images.status();
    const auto corpus =
        Corpus::Build({table_}, EncodeImages(*images), tokenizer_, {}, corpora_ / "captions.cache");
    EXPECT_TRUE(corpus.ok()) << corpus.status();
    ModelOptions model_options = TinyOptions();
    model_options.source = SourceKind::kImage;
    model_options.target_vocab = tokenizer_.size();
    model_options.image.network.kind = ImageNetworkKind::kTorchscript;
    model_options.image.network.path = WriteScript(corpora_);
    model_options.image.network.allow_scripts = true;
    model_options.image.network.fine_tune = true;
    model_options.image.channels = 4;
    model_options.image.hidden = 6;
    model_options.image.dropout = 0;
    TrainerHooks hooks;
    hooks.examples.images = [](absl::Span<const int64_t> numbers, std::optional<uint64_t>) {
      torch::Tensor pixels = torch::zeros({static_cast<int64_t>(numbers.size()), 3, 16, 16});
      for (size_t i = 0; i < numbers.size(); ++i) {
        pixels[static_cast<int64_t>(i)]
            .fill_(static_cast<double>(numbers[i] % 2))
            .narrow(1, 0, 8) += 0.5;
      }
      return pixels;
    };
    const TemporaryFolder run;
    options_.run = run.path();
    options_.max_updates = updates;
    std::vector<Model> models;
    torch::manual_seed(1);
    for (int64_t i = 0; i < processes; ++i) models.emplace_back(model_options);
    const auto train = [&](int64_t rank, ProcessGroup* group) {
      const auto trainer = Trainer::Create(options_, buckets_, models[static_cast<size_t>(rank)],
                                           torch::kCPU, *corpus, *corpus, hooks, group);
      ASSERT_TRUE(trainer.ok()) << trainer.status();
      const auto reason = (*trainer)->Run();
      EXPECT_TRUE(reason.ok()) << reason.status();
    };
    if (processes == 1) {
      train(0, nullptr);
    } else {
      RunRanks(processes, [&](ProcessGroup& group) { train(group.rank(), &group); });
    }
    return Parameters(*models.back()).at("image_encoder.network.scale").detach().clone();
  }

  std::string table_;
};

TEST_F(FineTuneTest, NetworkRestsUntilItsUpdate) {
  options_.fine_tune.from = 3;
  const torch::Tensor start = torch::tensor({1.0f, 2.0f, 3.0f, 4.0f}).view({4, 1, 1});
  EXPECT_TRUE(ScaleAfter(3).equal(start));
  EXPECT_GT(MaxDifference(ScaleAfter(4), start), 1e-6);
}

TEST_F(FineTuneTest, FrozenNetworkStaysAsItIs) {
  options_.freeze = {"image_encoder.network"};
  EXPECT_TRUE(ScaleAfter(2).equal(torch::tensor({1.0f, 2.0f, 3.0f, 4.0f}).view({4, 1, 1})));
}

TEST_F(FineTuneTest, NetworkMovesByItsShareOfTheRate) {
  const torch::Tensor start = torch::tensor({1.0f, 2.0f, 3.0f, 4.0f}).view({4, 1, 1});
  options_.fine_tune.rate = 1;
  const torch::Tensor whole = ScaleAfter(1) - start;
  options_.fine_tune.rate = 0.25;
  EXPECT_LT(MaxDifference((ScaleAfter(1) - start) * 4, whole), 1e-5);
}

TEST_F(FineTuneTest, ProcessesMoveItAsOneDoes) {
  options_.fine_tune.from = 3;  // From then on, gradients come that were not there before.
  EXPECT_LT(MaxDifference(ScaleAfter(8, 2), ScaleAfter(8)), 1e-5);
}

}  // namespace
}  // namespace seq2seq
