#include "seq2seq/model/model_summary.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "seq2seq/model/cell.h"
#include "seq2seq/model/model.h"
#include "seq2seq/model/parameters.h"

namespace seq2seq {
namespace {

using ::testing::Contains;

// The classifier of the usual tutorial: Embedding(1000, 64) -> LSTM(128) -> Dense(10).
struct Classifier : torch::nn::Module {
  Classifier() {
    register_module("embedding", torch::nn::Embedding(1000, 64));
    register_module("lstm", MakeCell(CellKind::kLstm, 64, 128));
    register_module("dense", torch::nn::Linear(128, 10));
  }
};

TEST(ModelSummary, CountsAsKerasDoesAndNamesTheSecondBiasApart) {
  const std::vector<LayerSummary> layers = SummarizeModel(*std::make_shared<Classifier>());
  ASSERT_EQ(layers.size(), 3u);
  EXPECT_EQ(layers[0].name, "embedding");
  EXPECT_EQ(layers[0].trainable, 64'000);
  EXPECT_EQ(layers[0].output, "[batch, target, 64]");
  EXPECT_EQ(layers[1].kind, "LSTM");
  EXPECT_EQ(layers[1].trainable, 98'816);
  EXPECT_EQ(layers[1].second_bias, 512);
  EXPECT_EQ(layers[2].kind, "Linear");
  EXPECT_EQ(layers[2].trainable, 1'290);
  EXPECT_EQ(layers[2].output, "[batch, target, 10]");
}

TEST(ModelSummary, FrozenParametersAreNotTrainable) {
  const auto classifier = std::make_shared<Classifier>();
  for (torch::Tensor parameter : classifier->named_children()["dense"]->parameters())
    parameter.requires_grad_(false);
  const LayerSummary dense = SummarizeModel(*classifier)[2];
  EXPECT_EQ(dense.trainable, 0);
  EXPECT_EQ(dense.not_trainable, 1'290);
}

TEST(ModelSummary, HasEveryParameterOfEveryKindOfModel) {
  for (const EncoderKind encoder : {EncoderKind::kRecurrent, EncoderKind::kTransformer}) {
    for (const DecoderKind decoder :
         {DecoderKind::kRecurrent, DecoderKind::kTransformer, DecoderKind::kSsru}) {
      ModelOptions options;
      options.source_vocab = options.target_vocab = 20;
      options.encoder.kind = encoder;
      options.decoder.kind = decoder;
      const Model model(options);
      int64_t all = 0, found = 0;
      for (const auto& [name, parameter] : Parameters(*model)) all += parameter.numel();
      std::vector<std::string> kinds;
      for (const LayerSummary& layer : SummarizeModel(*model)) {
        found += layer.parameters();
        kinds.push_back(layer.kind);
      }
      EXPECT_EQ(found, all);
      EXPECT_THAT(kinds, Contains("Embedding"));
      if (encoder == EncoderKind::kTransformer) {
        EXPECT_THAT(kinds, Contains("MultiheadAttention"));
      }
      if (decoder == DecoderKind::kSsru) {
        EXPECT_THAT(kinds, Contains("SSRU"));
      }
    }
  }
}

TEST(ModelSummary, OutputsOfAnEncoderHaveTheLengthOfTheSource) {
  ModelOptions options;
  options.source_vocab = options.target_vocab = 20;
  for (const LayerSummary& layer : SummarizeModel(*Model(options))) {
    if (layer.name == "encoder.embedding") {
      EXPECT_EQ(layer.output, "[batch, source, 256]");
    }
    if (layer.name == "decoder.embedding") {
      EXPECT_EQ(layer.output, "[batch, target, 256]");
    }
  }
}

}  // namespace
}  // namespace seq2seq
