// However a sentence is batched, its result is the same.
#include <algorithm>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/options.h"
#include "seq2seq/kernels/precision_choice.h"
#include "seq2seq/model/scoring_model.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/search/batch_shortlist.h"
#include "seq2seq/search/beam.h"
#include "seq2seq/search/ensemble_scorer.h"
#include "seq2seq/search/sample.h"
#include "tests/search/scorer_steps.h"

namespace seq2seq {
namespace {

// How a model is applied.
struct Way {
  const char* name;
  bool kernels;
  int threads;
  Precision precision;
};

void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

constexpr Way kWays[] = {{"plain", false, 1, Precision::kFp32},
                         {"fp32", true, 1, Precision::kFp32},
                         {"fp32_two_threads", true, 2, Precision::kFp32},
                         {"bf16", true, 2, Precision::kBf16},
                         {"int8", true, 2, Precision::kInt8}};

// Every cell, and attentions of every form.
struct Network {
  CellKind cell;
  AttentionKind attention = AttentionKind::kGeneral;
  bool copy = false;
};

std::string NameOf(const Network& network) {
  return EnumText(network.cell) + (network.copy ? "_copying" : "");
}

void PrintTo(const Network& network, std::ostream* out) { *out << NameOf(network); }

constexpr Network kNetworks[] = {{CellKind::kLstm},
                                 {CellKind::kLstm, AttentionKind::kGeneral, /*copy=*/true},
                                 {CellKind::kPeephole},
                                 {CellKind::kGru},
                                 {CellKind::kRnnTanh},
                                 {CellKind::kRnnRelu, AttentionKind::kScaledDot},
                                 {CellKind::kCoupled, AttentionKind::kMultiHead},
                                 {CellKind::kLayerNormLstm, AttentionKind::kCoverage},
                                 {CellKind::kLayerNormGru, AttentionKind::kLocation}};

constexpr int64_t kTargetVocab = 40;

using Case = std::tuple<Network, Way, bool>;  // The last one: an ensemble.

class SearchInvariance : public testing::TestWithParam<Case> {
 protected:
  SearchInvariance() : guard_({.fused = way().kernels}) {}

  void SetUp() override {
    if (!HasPrecision(way().precision)) GTEST_SKIP() << "no bf16 on this processor";
    ModelOptions options = TinyOptions();
    options.encoder.cell = options.decoder.cell = std::get<Network>(GetParam()).cell;
    options.decoder.attention = std::get<Network>(GetParam()).attention;
    options.decoder.layers = 2;
    options.decoder.copy = std::get<Network>(GetParam()).copy;
    options.source_vocab = options.target_vocab = kTargetVocab;
    models_.push_back(Make(options, 1));
    if (!std::get<bool>(GetParam())) return;
    options.decoder.layers = 1;
    options.decoder.cell = CellKind::kGru;
    models_.push_back(Make(options, 2));
  }

  static const Way& way() { return std::get<Way>(GetParam()); }

  // The sentences of `sources` from `begin` to `end`; every third one has a forced prefix. `own`
  // are their shortlists, if any.
  std::vector<std::vector<Hypothesis>> Search(const std::vector<Ids>& sources, size_t begin,
                                              size_t end, const SearchOptions& options,
                                              const std::vector<TokenIds>& own = {}) const {
    torch::set_num_threads(way().threads);
    std::vector<SearchTask> tasks;
    for (size_t s = begin; s < end; ++s) {
      tasks.emplace_back();
      tasks.back().max_length = 10;
      if (s % 3 == 0) tasks.back().prefix = {5, 7};
    }
    const Sources batch({sources.begin() + static_cast<std::ptrdiff_t>(begin),
                         sources.begin() + static_cast<std::ptrdiff_t>(end)});
    BatchShortlist shortlists;
    if (!own.empty()) {
      const auto first = own.begin() + static_cast<std::ptrdiff_t>(begin);
      shortlists =
          BatchShortlist({first, first + static_cast<std::ptrdiff_t>(end - begin)}, kTargetVocab);
    }
    std::vector<std::unique_ptr<Scorer>> members;
    for (const auto& model : models_) members.push_back(model->Begin(batch, shortlists));
    EnsembleScorer scorer(std::move(members), EnsembleMean::kProbability);
    return options.sample ? Sample(scorer, tasks, options) : BeamSearch(scorer, tasks, options);
  }

 private:
  static std::shared_ptr<const ScoringModel> Make(const ModelOptions& options, uint64_t seed) {
    return MakeScoringModel(TinyModel(options, torch::kFloat32, seed), torch::kCPU,
                            way().precision);
  }

  const ComputeGuard guard_;
  std::vector<std::shared_ptr<const ScoringModel>> models_;
};

TEST_P(SearchInvariance, NBestListsAndScoresAreThoseOfOtherBatches) {
  const std::vector<Ids> sources = RandomSources(64);
  for (const int64_t beam : {1, 4, 12}) {
    SearchOptions options;
    options.beam = options.n_best = beam;
    const auto together = Search(sources, 0, sources.size(), options);
    for (const size_t size : {1, 7}) {
      for (size_t begin = 0; begin < sources.size(); begin += size) {
        const size_t end = std::min(begin + size, sources.size());
        const auto part = Search(sources, begin, end, options);
        for (size_t s = begin; s < end; ++s) {
          const std::vector<Hypothesis>& found = part[s - begin];
          ASSERT_EQ(found.size(), together[s].size());
          for (size_t i = 0; i < found.size(); ++i) {
            // The kernels compute each row by itself, LibTorch sums up in an order that depends on
            // the batch, which swaps hypotheses of almost equal scores.
            EXPECT_NEAR(found[i].score, together[s][i].score, way().kernels ? 0 : 1e-4);
            if (way().kernels) {
              EXPECT_EQ(found[i].tokens, together[s][i].tokens);
            }
          }
        }
      }
    }
    for (size_t s = 0; s < sources.size(); s += 3) {
      for (const Hypothesis& hypothesis : together[s]) {
        ASSERT_GE(hypothesis.tokens.size(), 2u);
        EXPECT_EQ(hypothesis.tokens[0], 5);
        EXPECT_EQ(hypothesis.tokens[1], 7);
      }
    }
  }
}

TEST_P(SearchInvariance, ShortlistsAreEachSentencesOwn) {
  const std::vector<Ids> sources = RandomSources(24);
  std::vector<TokenIds> own(sources.size());
  for (size_t s = 0; s < own.size(); ++s) {
    if (s == 11) continue;  // Needs the whole vocabulary.
    std::set<int32_t> tokens = {kEosId, 5, 7};
    for (const int64_t id : RandomIds(4, kTargetVocab, 100 + s))
      tokens.insert(static_cast<int32_t>(id));
    own[s] = TokenIds(tokens.begin(), tokens.end());
  }
  for (const bool sample : {false, true}) {
    SearchOptions options;
    options.sample = sample;
    options.beam = options.n_best = 4;
    for (const size_t size : {6, 24}) {  // The second batch of six has all columns, as that of all.
      for (size_t begin = 0; begin < sources.size(); begin += size) {
        const auto together = Search(sources, begin, begin + size, options, own);
        for (size_t s = begin; s < begin + size; ++s) {
          const auto alone = Search(sources, s, s + 1, options, own)[0];
          const std::vector<Hypothesis>& found = together[s - begin];
          ASSERT_EQ(found.size(), alone.size());
          for (size_t i = 0; i < found.size(); ++i) {
            EXPECT_NEAR(found[i].score, alone[i].score, 1e-4);
            if (way().kernels) {
              EXPECT_EQ(found[i].tokens, alone[i].tokens);
            }
            for (const int32_t token : found[i].tokens)
              EXPECT_TRUE(own[s].empty() || std::count(own[s].begin(), own[s].end(), token) == 1);
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, SearchInvariance,
                         testing::Combine(testing::ValuesIn(kNetworks), testing::ValuesIn(kWays),
                                          testing::Bool()),
                         [](const auto& info) {
                           return absl::StrCat(NameOf(std::get<Network>(info.param)), "_",
                                               std::get<Way>(info.param).name,
                                               std::get<bool>(info.param) ? "_ensemble" : "");
                         });

}  // namespace
}  // namespace seq2seq
