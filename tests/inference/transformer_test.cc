// Transformers for decoding agree with the LibTorch modules.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/inference/inference_model.h"
#include "seq2seq/inference/transformer_decoder.h"
#include "seq2seq/inference/transformer_encoder.h"
#include "seq2seq/ops/compute.h"
#include "tests/inference/agreement.h"
#include "tests/search/scorer_steps.h"

namespace seq2seq {
namespace {

#if SEQ2SEQ_KERNELS

// Sizes that leave a rest, and such that fill vectors of every processor.
std::vector<std::pair<std::string, ModelOptions>> Variants() {
  std::vector<std::pair<std::string, ModelOptions>> variants = TransformerVariants();
  for (const auto& wide : TransformerVariants(96)) variants.push_back(wide);
  return variants;
}

TEST(TransformerInferenceEncoder, AgreesWithTheModule) {
  const torch::NoGradGuard no_grad;
  const std::vector<Ids> ids = RandomSources(5);
  const Sources sources(ids);
  for (const auto& [name, options] : Variants()) {
    if (options.source == SourceKind::kNone || options.encoder.kind != EncoderKind::kTransformer ||
        options.shared_embeddings)
      continue;
    Model model = StableModel(options);
    const ComputeGuard plain({.fused = false});
    const Encoded expected = model->Encode(BatchOf(ids, 1));
    ModelArrays arrays = ArraysOf(options, model);
    const TransformerInferenceEncoder encoder(options.encoder, arrays.encoder.embedding,
                                              arrays.encoder.transformer, Precision::kFp32);
    EXPECT_GT(encoder.packed_bytes(), 0);
    EXPECT_FALSE(arrays.encoder.transformer.layers[0].linear1.defined());
    const EncoderOutput found = encoder.Encode(sources);
    ASSERT_EQ(found.batch(), 5);
    ExpectAgreement(TensorOf(found.summary.view()), expected.final, name);
    for (int64_t s = 0; s < 5; ++s) {
      const auto length = static_cast<int64_t>(ids[static_cast<size_t>(s)].size()) + 1;
      ASSERT_EQ(found.length(s), length);
      ExpectAgreement(TensorOf(found.Of(s, found.values)), expected.values[s].narrow(0, 0, length),
                      name);
    }
  }
}

// A search whose hypotheses change places, multiply and vanish.
TEST(TransformerInferenceDecoder, AgreesWithTheModule) {
  const torch::NoGradGuard no_grad;
  const std::vector<Ids> ids = RandomSources(3);
  const Batch batch = BatchOf(ids, 3);
  const Sources sources(ids);
  const std::vector<std::vector<int64_t>> parents = {{0, 0, 1, 1, 2, 2},
                                                     {1, 0, 2, 3, 5, 5},
                                                     {0, 0, 3, 2, 4, 5},
                                                     {1, 0, 2, 2, 5, 4},
                                                     {0, 1, 3, 2, 4, 4}};
  for (const auto& [name, options] : Variants()) {
    if (options.decoder.kind == DecoderKind::kRecurrent || options.shared_embeddings) continue;
    Model model = StableModel(options);
    const ComputeGuard plain({.fused = false});
    InferenceModel inference(options, ArraysOf(options, model), Precision::kFp32);
    const EncoderOutput encoded = inference.encoder().Encode(sources);
    const std::unique_ptr<StepDecoder> steps =
        inference.decoder().Begin(encoded, inference.output());
    std::shared_ptr<const DecoderState> state = model->decoder()->Start(model->Encode(batch));
    for (size_t t = 0; t < parents.size(); ++t) {
      std::vector<Extension> rows;
      std::vector<int64_t> tokens;
      for (size_t i = 0; i < parents[t].size(); ++i) {
        const auto sentence = static_cast<int64_t>(i / 2);
        tokens.push_back(kEosId + 1 + static_cast<int64_t>((t + i) % 5));
        // The first parents are sentences.
        rows.push_back({parents[t][i], sentence, static_cast<int32_t>(tokens.back())});
      }
      steps->Step(rows);
      state = state->Select({}, torch::tensor(parents[t]));
      const DecoderStep expected = model->decoder()->Step(torch::tensor(tokens), *state);
      state = expected.state;
      const std::string what = absl::StrCat(name, ", time step ", t);
      const torch::Tensor logits = model->decoder()->Logits(expected.output);
      ExpectAgreement(TensorOf(steps->scores()), logits, what);
      if (!HasAttention(options)) continue;
      for (size_t i = 0; i < rows.size(); ++i) {
        const absl::Span<const float> weights = steps->Attention(i);
        ExpectAgreement(torch::tensor(std::vector<float>(weights.begin(), weights.end())),
                        expected.attention[static_cast<int64_t>(i)].narrow(
                            0, 0, encoded.length(rows[i].sentence)),
                        what);
      }
    }
  }
}

#endif  // SEQ2SEQ_KERNELS

}  // namespace
}  // namespace seq2seq
