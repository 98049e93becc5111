#include "seq2seq/inference/recurrent_encoder.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/ops/compute.h"
#include "tests/inference/agreement.h"
#include "tests/search/scorer_steps.h"

namespace seq2seq {
namespace {

#if SEQ2SEQ_KERNELS

// Every cell and way to stack layers, for sentences of several lengths.
void ExpectEncodersAgree(const ModelOptions& tiny) {
  const torch::NoGradGuard no_grad;
  const std::vector<Ids> ids = RandomSources(5);
  const Sources sources(ids);
  for (const CellKind cell : {CellKind::kLstm, CellKind::kPeephole, CellKind::kGru,
                              CellKind::kRnnTanh, CellKind::kRnnRelu, CellKind::kCoupled,
                              CellKind::kLayerNormLstm, CellKind::kLayerNormGru}) {
    for (const auto& [directions, merge] :
         {std::pair{Directions::kBidirectional, DirectionMerge::kConcat},
          {Directions::kBidirectional, DirectionMerge::kSum},
          {Directions::kUnidirectional, DirectionMerge::kConcat},
          {Directions::kLowest, DirectionMerge::kSum}}) {
      for (const int64_t layers : {1, 2, 3}) {
        ModelOptions options = tiny;
        options.encoder.cell = cell;
        options.encoder.directions = directions;
        options.encoder.merge = merge;
        options.encoder.layers = layers;
        options.encoder.residual = layers == 3;
        options.bridge = BridgeKind::kLayers;  // So that there are the states of all layers.
        const std::string what = absl::StrCat(EnumText(cell), ", ", EnumText(directions), " ",
                                              EnumText(merge), ", ", layers, " layers");
        Model model = StableModel(options);
        const ComputeGuard plain({.fused = false});
        const Encoded expected = model->Encode(BatchOf(ids, 1));
        ModelArrays arrays = ArraysOf(options, model);
        const RecurrentInferenceEncoder encoder(options.encoder, arrays.encoder.embedding,
                                                arrays.encoder, Precision::kFp32,
                                                /*with_layers=*/true);
        const EncoderOutput found = encoder.Encode(sources);
        ASSERT_EQ(found.batch(), 5);
        ExpectAgreement(TensorOf(found.summary.view()), expected.final, what);
        ASSERT_EQ(found.hidden.size(), static_cast<size_t>(layers));
        ASSERT_EQ(expected.layers.size(), static_cast<size_t>(layers));
        for (size_t layer = 0; layer < found.hidden.size(); ++layer) {
          const CellState& states = expected.layers[layer];
          ExpectAgreement(TensorOf(found.hidden[layer].view()), states.hidden, what);
          if (!HasCellState(cell)) continue;
          ExpectAgreement(TensorOf(found.cell_state[layer].view()), states.cell_state, what);
        }
        for (int64_t s = 0; s < 5; ++s) {
          const auto length = static_cast<int64_t>(ids[static_cast<size_t>(s)].size()) + 1;
          ASSERT_EQ(found.length(s), length);
          ExpectAgreement(TensorOf(found.Of(s, found.values)),
                          expected.values[s].narrow(0, 0, length), what);
        }
      }
    }
  }
}

TEST(RecurrentInferenceEncoder, AgreesWithTheModule) { ExpectEncodersAgree(TinyOptions()); }

TEST(RecurrentInferenceEncoder, AgreesWithTheModuleInWholeVectors) {
  ExpectEncodersAgree(WideOptions());
}

TEST(RecurrentInferenceEncoder, TakesTheWeightsThatItPacks) {
  const ModelOptions options = TinyOptions();
  ModelArrays arrays = ArraysOf(options, TinyModel(options, torch::kFloat32));
  const RecurrentInferenceEncoder encoder(options.encoder, arrays.encoder.embedding, arrays.encoder,
                                          Precision::kFp32, /*with_layers=*/false);
  EXPECT_GT(encoder.packed_bytes(), 0);
  for (const CellArrays& cell :
       {arrays.encoder.layers[0].forward, arrays.encoder.layers[0].backward}) {
    EXPECT_FALSE(cell.weight_ih.defined());
    EXPECT_FALSE(cell.weight_hh.defined());
    EXPECT_TRUE(cell.bias_ih.defined());
  }
}

#endif  // SEQ2SEQ_KERNELS

}  // namespace
}  // namespace seq2seq
