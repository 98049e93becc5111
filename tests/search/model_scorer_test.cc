#include "seq2seq/search/model_scorer.h"

#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/search/beam.h"
#include "tests/tiny_model.h"

namespace seq2seq {
namespace {

// Of lengths from 1 to 9.
std::vector<Ids> RandomSources(size_t count) {
  std::vector<Ids> sources;
  for (size_t i = 0; i < count; ++i) {
    sources.push_back(RandomIds(1 + Mix(i) % 9, TinyOptions().source_vocab, i));
  }
  return sources;
}

Batch SourcesOf(const std::vector<Ids>& sources) {
  return CollateSources(std::vector<absl::Span<const int32_t>>(sources.begin(), sources.end()));
}

std::vector<std::vector<Hypothesis>> Search(const Model& model, const std::vector<Ids>& sources,
                                            const BeamOptions& options) {
  const torch::NoGradGuard no_grad;
  ModelScorer scorer(model, SourcesOf(sources));
  std::vector<int64_t> max_lengths;
  for (const Ids& source : sources)
    max_lengths.push_back(MaxLength(static_cast<int64_t>(source.size()), options));
  return BeamSearch(scorer, max_lengths, options);
}

TEST(ModelScorer, StepsAgreeWithTheModelReadingTheWholeTarget) {
  const torch::NoGradGuard no_grad;
  Model model = TinyModel(TinyOptions(), torch::kFloat32);
  const Batch batch = MakeBatch(RandomPairs(TinyOptions(), {{3, 4}, {6, 4}}));
  const torch::Tensor expected =
      torch::log_softmax(model(batch, TeacherForcing()), -1).view({2, 5, -1});
  ModelScorer scorer(model, batch);
  EXPECT_EQ(scorer.batch(), 2);
  for (int64_t t = 0; t < 5; ++t) {
    EXPECT_LT(MaxDifference(scorer.Step(batch.target_input.select(1, t)), expected.select(1, t)),
              1e-5);
  }
}

TEST(ModelScorer, SelectedRowsAndSentencesGoOnAsBefore) {
  const torch::NoGradGuard no_grad;
  const Model model = TinyModel(TinyOptions(), torch::kFloat32);
  const Batch batch = SourcesOf(RandomSources(3));
  const torch::Tensor bos = torch::full({3}, kBosId, torch::kInt64),
                      next = torch::tensor({4, 5, 6});
  ModelScorer plain(model, batch), selected(model, batch);
  plain.Step(bos);
  selected.Step(bos);
  const torch::Tensor expected = plain.Step(next);
  // Two rows for each of the last two sentences.
  const torch::Tensor rows = torch::tensor({1, 1, 2, 2});
  selected.Select(rows, torch::tensor({1, 2}));
  EXPECT_LT(
      MaxDifference(selected.Step(next.index_select(0, rows)), expected.index_select(0, rows)),
      1e-5);
}

TEST(ModelScorer, NeighboursAndBatchSizeChangeNeitherOutputNorScores) {
  ModelOptions options = TinyOptions();
  options.decoder.layers = 2;
  const Model model = TinyModel(options, torch::kFloat32);
  const std::vector<Ids> sources = RandomSources(12);
  for (const int64_t beam : {1, 4}) {
    BeamOptions search;
    search.beam = search.n_best = beam;
    search.max_length = 12;
    const auto together = Search(model, sources, search);
    for (const size_t size : {1, 5}) {
      for (size_t begin = 0; begin < sources.size(); begin += size) {
        const size_t end = std::min(begin + size, sources.size());
        const auto part = Search(model,
                                 {sources.begin() + static_cast<std::ptrdiff_t>(begin),
                                  sources.begin() + static_cast<std::ptrdiff_t>(end)},
                                 search);
        for (size_t s = begin; s < end; ++s) {
          ASSERT_EQ(part[s - begin].size(), together[s].size());
          for (size_t i = 0; i < together[s].size(); ++i) {
            EXPECT_EQ(part[s - begin][i].tokens, together[s][i].tokens);
            EXPECT_NEAR(part[s - begin][i].score, together[s][i].score, 1e-4);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace seq2seq
