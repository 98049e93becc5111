#include "seq2seq/inference/recurrent_decoder.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/inference/recurrent_encoder.h"
#include "seq2seq/ops/compute.h"
#include "tests/inference/agreement.h"
#include "tests/search/scorer_steps.h"

namespace seq2seq {
namespace {

#if SEQ2SEQ_KERNELS

struct Variant {
  std::string name;
  ModelOptions options;
};

// Variants of `tiny`: every cell with every bridge, all but `layers` in one and two layers, with
// and without input feeding, and with a conditional cell; every attention with and without a
// context gate; residual layers.
std::vector<Variant> Variants(const ModelOptions& tiny) {
  std::vector<Variant> variants;
  for (const CellKind cell : {CellKind::kLstm, CellKind::kPeephole, CellKind::kGru,
                              CellKind::kRnnTanh, CellKind::kRnnRelu, CellKind::kCoupled,
                              CellKind::kLayerNormLstm, CellKind::kLayerNormGru}) {
    for (const BridgeKind bridge :
         {BridgeKind::kDense, BridgeKind::kMean, BridgeKind::kCopy, BridgeKind::kZero}) {
      for (const int64_t layers : {1, 2}) {
        ModelOptions options = tiny;
        options.decoder.cell = cell;
        options.bridge = bridge;
        options.decoder.layers = layers;
        options.decoder.input_feeding = layers == 2;
        variants.push_back(
            {absl::StrCat(EnumText(cell), ", ", EnumText(bridge), ", ", layers, " layers"),
             options});
      }
    }
    ModelOptions options = tiny;
    options.decoder.cell = cell;
    options.decoder.conditional = true;
    variants.push_back({absl::StrCat(EnumText(cell), ", conditional"), options});
    options.encoder.cell = cell;
    options.encoder.layers = options.decoder.layers = 2;
    options.decoder.hidden = OutputSize(options.encoder);
    options.bridge = BridgeKind::kLayers;
    variants.push_back({absl::StrCat(EnumText(cell), ", layers, conditional"), options});
  }
  for (const AttentionKind attention :
       {AttentionKind::kGeneral, AttentionKind::kDot, AttentionKind::kMlp,
        AttentionKind::kScaledDot, AttentionKind::kMultiHead, AttentionKind::kCoverage,
        AttentionKind::kLocation, AttentionKind::kNone}) {
    ModelOptions options = tiny;
    options.decoder.attention = attention;
    variants.push_back({EnumText(attention), options});
    if (attention == AttentionKind::kNone) continue;
    options.decoder.context_gate = true;
    variants.push_back({absl::StrCat(EnumText(attention), ", context gate"), options});
  }
  for (const int64_t layers : {2, 4}) {
    ModelOptions options = tiny;
    options.decoder.layers = layers;
    options.decoder.residual = true;
    options.decoder.conditional = layers == 4;
    variants.push_back({absl::StrCat("residual, ", layers, " layers"), options});
  }
  return variants;
}

PackedOutput PackOutput(const DecoderArrays& arrays) {
  const ConstMatrix bias = arrays.output_bias.matrix();
  PackedOutput output = {
      PackedMatrix::PackTransposed(arrays.output_weight.matrix(), Precision::kFp32),
      Buffer(1, bias.columns), Array(), Array()};
  Copy(bias, output.bias.view());
  return output;
}

void ExpectAgreementOfVariants(const ModelOptions& tiny) {
  const torch::NoGradGuard no_grad;
  const std::vector<Ids> ids = RandomSources(4);
  const Batch batch = BatchOf(ids, 3);
  const Sources sources(ids);
  for (const auto& [name, options] : Variants(tiny)) {
    Model model = StableModel(options);
    const ComputeGuard plain({.fused = false});
    ModelArrays arrays = ArraysOf(options, model);
    const PackedOutput output = PackOutput(arrays.decoder);
    const RecurrentInferenceDecoder decoder(options, arrays.decoder, Precision::kFp32);
    const EncoderOutput encoded =
        RecurrentInferenceEncoder(options.encoder, arrays.encoder.embedding, arrays.encoder,
                                  Precision::kFp32, options.bridge == BridgeKind::kLayers)
            .Encode(sources);
    const std::unique_ptr<StepDecoder> steps = decoder.Begin(encoded, output);
    std::shared_ptr<const DecoderState> state = model->decoder()->Start(model->Encode(batch));
    for (int64_t t = 0; t < batch.target_input.size(1); ++t) {
      const torch::Tensor tokens = batch.target_input.select(1, t);
      std::vector<Extension> rows;
      for (int64_t s = 0; s < 4; ++s) rows.push_back({s, s, tokens[s].item<int32_t>()});
      steps->Step(rows);
      const DecoderStep expected = model->decoder()->Step(tokens, *state);
      state = expected.state;

      const std::string what = absl::StrCat(name, ", time step ", t);
      const torch::Tensor logits = model->decoder()->Logits(expected.output);
      ExpectAgreement(TensorOf(steps->scores()), logits, what);
      const absl::Span<const float> normalizers = steps->normalizers();
      ExpectAgreement(torch::tensor(std::vector<float>(normalizers.begin(), normalizers.end())),
                      torch::logsumexp(logits, 1), what);
      for (int64_t s = 0; s < 4; ++s) {
        const absl::Span<const float> weights = steps->Attention(static_cast<size_t>(s));
        ExpectAgreement(torch::tensor(std::vector<float>(weights.begin(), weights.end())),
                        expected.attention[s].narrow(0, 0, encoded.length(s)), what);
      }
    }
  }
}

TEST(RecurrentInferenceDecoder, AgreesWithTheModule) { ExpectAgreementOfVariants(TinyOptions()); }

TEST(RecurrentInferenceDecoder, AgreesWithTheModuleInWholeVectors) {
  ExpectAgreementOfVariants(WideOptions());
}

TEST(RecurrentInferenceDecoder, TakesTheWeightsThatItPacks) {
  const ModelOptions options = TinyOptions();
  DecoderArrays arrays = ArraysOf(options, TinyModel(options, torch::kFloat32)).decoder;
  const RecurrentInferenceDecoder decoder(options, arrays, Precision::kFp32);
  EXPECT_GT(decoder.packed_bytes(), 0);
  EXPECT_FALSE(arrays.cells[0].weight_hh.defined());
  EXPECT_FALSE(arrays.attentional.defined());
  EXPECT_FALSE(arrays.bridge.defined());
  EXPECT_FALSE(arrays.attention.projection.defined());
  EXPECT_TRUE(arrays.embedding.defined());
  EXPECT_TRUE(arrays.cells[0].bias_hh.defined());
}

#endif  // SEQ2SEQ_KERNELS

}  // namespace
}  // namespace seq2seq
