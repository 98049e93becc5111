#include "seq2seq/inference/model_arrays.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/model/parameters.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using Shapes = std::map<std::string, std::vector<int64_t>>;

Shapes ShapesOfTable(const ModelOptions& options) {
  ModelArrays arrays;
  Shapes shapes;
  for (const NamedArray& parameter : ListArrays(options, arrays)) {
    EXPECT_TRUE(shapes.emplace(parameter.name, parameter.shape).second) << parameter.name;
  }
  return shapes;
}

Shapes ShapesOfModule(const ModelOptions& options) {
  Shapes shapes;
  for (const auto& [name, parameter] : Parameters(*Model(options)))
    shapes.emplace(name, parameter.sizes().vec());
  return shapes;
}

// Every kind of every part, by a name.
std::vector<std::pair<std::string, ModelOptions>> AllKinds() {
  std::vector<std::pair<std::string, ModelOptions>> all;
  const auto add = [&](const std::string& name, auto change) {
    ModelOptions options = TinyOptions();
    options.encoder.layers = 3;
    options.decoder.layers = 2;
    change(options);
    EXPECT_TRUE(Validate(options).ok()) << name << ": " << Validate(options);
    all.emplace_back(name, options);
  };
  for (size_t i = 0; i < EnumTexts(CellKind()).size(); ++i) {
    const auto kind = static_cast<CellKind>(i);
    add(EnumText(kind), [&](ModelOptions& o) { o.encoder.cell = o.decoder.cell = kind; });
  }
  for (size_t i = 0; i < EnumTexts(AttentionKind()).size(); ++i) {
    const auto kind = static_cast<AttentionKind>(i);
    add(EnumText(kind), [&](ModelOptions& o) { o.decoder.attention = kind; });
  }
  for (size_t i = 0; i < EnumTexts(BridgeKind()).size(); ++i) {
    const auto kind = static_cast<BridgeKind>(i);
    add(EnumText(kind), [&](ModelOptions& o) {
      o.bridge = kind;
      if (kind != BridgeKind::kLayers) return;
      o.decoder.layers = o.encoder.layers;
      o.decoder.hidden = OutputSize(o.encoder);
    });
  }
  for (size_t i = 0; i < EnumTexts(Directions()).size(); ++i) {
    const auto kind = static_cast<Directions>(i);
    add(EnumText(kind), [&](ModelOptions& o) { o.encoder.directions = kind; });
  }
  add("no source", [](ModelOptions& o) {
    o.source = SourceKind::kNone;
    o.decoder.attention = AttentionKind::kNone;
  });
  add("features", [](ModelOptions& o) {
    o.source = SourceKind::kImage;
    o.image.network.kind = ImageNetworkKind::kFeatures;
    o.image.channels = 3;
  });
  add("residual network", [](ModelOptions& o) {
    o.source = SourceKind::kImage;
    o.image.network.width = 3;
    o.image.channels = 24;
    o.image.hidden = 10;
    o.image.recurrent = true;
  });
  add("gate", [](ModelOptions& o) { o.decoder.context_gate = true; });
  add("conditional", [](ModelOptions& o) { o.decoder.conditional = true; });
  add("no input feeding", [](ModelOptions& o) { o.decoder.input_feeding = false; });
  add("tied", [](ModelOptions& o) { o.decoder.tied_embeddings = true; });
  add("shared", [](ModelOptions& o) {
    o.source_vocab = o.target_vocab;
    o.encoder.embedding = o.decoder.embedding;
    o.shared_embeddings = true;
  });
  for (const EncoderKind kind : {EncoderKind::kRecurrent, EncoderKind::kTransformer}) {
    add("head, " + EnumText(kind), [&](ModelOptions& o) {
      o.encoder.kind = kind;
      o.decoder.kind = DecoderKind::kHead;
      o.source_vocab = o.target_vocab;
      o.decoder.hidden = EmbeddingSize(o.encoder);
      o.shared_embeddings = o.decoder.tied_embeddings = true;
    });
  }
  for (const auto& [name, options] : TransformerVariants()) all.emplace_back(name, options);
  return all;
}

TEST(ModelArrays, TableHasTheNamesAndShapesOfTheModule) {
  for (const auto& [name, options] : AllKinds())
    EXPECT_EQ(ShapesOfTable(options), ShapesOfModule(options)) << name;
}

TEST(TakeArrays, GivesTheArraysByTheirPlaceInTheTable) {
  const ModelOptions options = TinyOptions();
  const TensorMap parameters = Parameters(*TinyModel(options, torch::kFloat32));
  const auto arrays = TakeArrays(options, ToArrays(parameters), "file");
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  EXPECT_EQ(arrays->decoder.attentional.values<float>(),
            parameters.at("decoder.readout.weight").data_ptr<float>());
  EXPECT_EQ(arrays->encoder.layers.at(0).backward.bias_hh.values<float>(),
            parameters.at("encoder.backward_0.bias_hh").data_ptr<float>());
}

TEST(TakeArrays, MistakesNameTheFileAndTheArray) {
  const ModelOptions options = TinyOptions();
  const ArrayMap whole = ToArrays(Parameters(*TinyModel(options, torch::kFloat32)));
  const auto error = [&](const ArrayMap& arrays) {
    const absl::Status status = TakeArrays(options, arrays, "file").status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  ArrayMap changed = whole;
  changed.erase("decoder.output_bias");
  EXPECT_THAT(error(changed),
              AllOf(HasSubstr("file"), HasSubstr("no tensor 'decoder.output_bias'")));
  changed = whole;
  changed["decoder.output_bias"].shape = {4};
  EXPECT_THAT(error(changed), AllOf(HasSubstr("'decoder.output_bias' is [4]"), HasSubstr("[9]")));
  changed = whole;
  changed["extra"] = whole.at("decoder.output_bias");
  EXPECT_THAT(error(changed), HasSubstr("'extra' is not part of the model"));
}

}  // namespace
}  // namespace seq2seq
