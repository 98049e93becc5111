#include "seq2seq/search/search_memory.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/model/scoring_model.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/search/batch_shortlist.h"
#include "seq2seq/search/beam.h"
#include "seq2seq/train/memory_meter.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

// The measured peak of a search, beyond the weights.
double Peak(const ModelOptions& options, const SearchShape& shape, bool packed) {
  const ComputeGuard guard({.fused = packed});
  const auto scoring =
      MakeScoringModel(TinyModel(options, torch::kFloat32), torch::kCPU, Precision::kFp32);
  SourceInput source;
  source.ids.assign(static_cast<size_t>(shape.source - 1), 5);
  const int64_t size = options.image.input.size;
  if (options.source == SourceKind::kImage) source.values = ToArray(torch::rand({3, size, size}));
  const std::vector<const SourceInput*> sources(static_cast<size_t>(shape.sentences), &source);
  SearchTask task;
  task.min_length = task.max_length = shape.steps;
  task.attention = shape.attention;
  const std::vector<SearchTask> tasks(static_cast<size_t>(shape.sentences), task);
  SearchOptions search;
  search.beam = shape.hypotheses;
  const MemoryMeter meter(torch::kCPU);
  BeamSearch(*scoring->Begin(sources, {}), tasks, search);
  return static_cast<double>(meter.peak());
}

ModelOptions Options() {
  ModelOptions options;
  options.source_vocab = options.target_vocab = 500;
  options.encoder.embedding = options.decoder.embedding = 64;
  options.encoder.hidden = 64;
  options.decoder.hidden = 128;
  return options;
}

const std::vector<SearchShape> kShapes = {
    {32, 15, 5, 20}, {32, 15, 1, 20}, {4, 120, 5, 20}, {64, 30, 12, 20}};

std::string Text(const SearchShape& shape) {
  return absl::StrCat(shape.sentences, " x ", shape.source, ", beam ", shape.hypotheses);
}

TEST(SearchBytes, LiesWithin15PercentOfThePeakOfTheKernels) {
  for (const int64_t layers : {1, 2}) {
    ModelOptions options = Options();
    options.encoder.layers = options.decoder.layers = layers;
    for (const SearchShape& shape : kShapes)
      EXPECT_NEAR(SearchBytes(options, shape, true) / Peak(options, shape, true), 1, 0.15)
          << Text(shape) << ", layers " << layers;
  }
}

TEST(SearchBytes, LiesWithin15PercentOfThePeakOfTransformers) {
  for (const DecoderKind kind : {DecoderKind::kTransformer, DecoderKind::kSsru}) {
    ModelOptions options = Options();
    options.encoder.kind = EncoderKind::kTransformer;
    options.decoder.kind = kind;
    options.encoder.hidden = options.decoder.hidden = 64;
    options.encoder.layers = options.decoder.layers = 3;
    options.encoder.transformer.feed_forward = options.decoder.transformer.feed_forward = 256;
    for (const SearchShape& shape : kShapes) {
      EXPECT_NEAR(SearchBytes(options, shape, true) / Peak(options, shape, true), 1, 0.15)
          << Text(shape) << ", " << EnumText(kind);
    }
  }
}

// The inputs, which are read before the search, are in the estimate.
TEST(SearchBytes, LiesWithin15PercentOfThePeakOfAnImageNetwork) {
  for (const int64_t sentences : {1, 6}) {
    ModelOptions options = Options();
    options.source = SourceKind::kImage;
    options.image.input.size = 160;
    options.image.network.width = 16;
    options.image.channels = 128;
    options.image.hidden = 64;
    const SearchShape shape = {sentences, 1, 5, 20};
    const double inputs = static_cast<double>(sentences) * 3 * 160 * 160 * sizeof(float);
    EXPECT_NEAR(SearchBytes(options, shape, true) / (inputs + Peak(options, shape, true)), 1, 0.15)
        << sentences;
  }
}

TEST(SearchBytes, IsNoLessThanThePeakOfLibTorchsOperations) {
  for (const AttentionKind attention :
       {AttentionKind::kGeneral, AttentionKind::kMlp, AttentionKind::kCoverage}) {
    ModelOptions options = Options();
    options.decoder.attention = attention;
    for (const SearchShape& shape : kShapes) {
      const double share = SearchBytes(options, shape, false) / Peak(options, shape, false);
      EXPECT_GE(share, 1) << Text(shape) << ", attention " << static_cast<int>(attention);
      EXPECT_LE(share, 4) << Text(shape) << ", attention " << static_cast<int>(attention);
    }
  }
}

}  // namespace
}  // namespace seq2seq
