#include "seq2seq/model/recurrent_encoder.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/data/batch.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

Encoded Encode(Encoder& encoder, const std::vector<Pair>& pairs) {
  return encoder(MakeBatch(pairs));
}

Encoder TinyEncoder(const ModelOptions& options) {
  Encoder encoder = MakeEncoder(options, nullptr);
  encoder->to(torch::kFloat64);
  encoder->eval();
  Randomize(*encoder, 1);
  return encoder;
}

// One cell of the encoder run by a layer of LibTorch over one sentence, [source, input] -> [source,
// hidden].
template <typename Layer>
torch::Tensor RunLayer(Layer layer, const TensorMap& parameters, const std::string& cell,
                       const torch::Tensor& input) {
  layer->to(torch::kFloat64);
  const torch::NoGradGuard no_grad;
  for (auto& parameter : layer->named_parameters()) {  // weight_ih_l0, …
    const std::string name = parameter.key().substr(0, parameter.key().size() - 3);
    parameter.value().copy_(parameters.at(cell + "." + name));
  }
  return std::get<0>(layer->forward(input.unsqueeze(1))).squeeze(1);
}

torch::Tensor RunTorch(CellKind kind, const TensorMap& parameters, const std::string& cell,
                       const torch::Tensor& input) {
  const int64_t hidden = parameters.at(cell + ".weight_hh").size(1);
  const int64_t size = input.size(1);
  switch (kind) {
    case CellKind::kLstm:
      return RunLayer(torch::nn::LSTM(size, hidden), parameters, cell, input);
    case CellKind::kGru:
      return RunLayer(torch::nn::GRU(size, hidden), parameters, cell, input);
    default:
      break;
  }
  torch::nn::RNNOptions options(size, hidden);
  if (kind == CellKind::kRnnRelu) options.nonlinearity(torch::kReLU);
  return RunLayer(torch::nn::RNN(options), parameters, cell, input);
}

// Every way to stack layers, of every cell that LibTorch has.
TEST(RecurrentEncoder, AgreesWithTorchLayersOverEachSentenceAndItsReverse) {
  for (const CellKind cell :
       {CellKind::kLstm, CellKind::kGru, CellKind::kRnnTanh, CellKind::kRnnRelu}) {
    for (const auto& [directions, merge] :
         {std::pair{Directions::kBidirectional, DirectionMerge::kConcat},
          {Directions::kBidirectional, DirectionMerge::kSum},
          {Directions::kUnidirectional, DirectionMerge::kSum},
          {Directions::kLowest, DirectionMerge::kConcat},
          {Directions::kLowest, DirectionMerge::kSum}}) {
      const bool sums = merge == DirectionMerge::kSum;
      ModelOptions options = TinyOptions();
      options.encoder.cell = cell;
      options.encoder.directions = directions;
      options.encoder.merge = merge;
      options.encoder.layers = 3;
      options.encoder.residual = true;
      Encoder encoder = TinyEncoder(options);
      const TensorMap parameters = Parameters(*encoder);
      const std::vector<Pair> pairs = RandomPairs(options, {{3, 1}, {6, 1}, {1, 1}, {4, 1}});
      const Encoded encoded = Encode(encoder, pairs);
      const torch::NoGradGuard no_grad;
      for (size_t s = 0; s < pairs.size(); ++s) {
        Ids ids = pairs[s].source;
        ids.push_back(kEosId);
        const auto length = static_cast<int64_t>(ids.size());
        torch::Tensor final;  // Of the last layer.
        torch::Tensor states =
            parameters.at("embedding.weight").index_select(0, torch::tensor(ids));
        for (int64_t layer = 0; layer < 3; ++layer) {
          torch::Tensor outputs =
              RunTorch(cell, parameters, absl::StrCat("forward_", layer), states);
          final = outputs[length - 1];
          if (directions == Directions::kBidirectional ||
              (directions == Directions::kLowest && layer == 0)) {
            const torch::Tensor back =
                RunTorch(cell, parameters, absl::StrCat("backward_", layer), states.flip(0));
            // The backward cell has read the first token last.
            final = sums ? final + back[length - 1] : torch::cat({final, back[length - 1]});
            outputs = sums ? outputs + back.flip(0) : torch::cat({outputs, back.flip(0)}, 1);
          }
          const bool adds = layer > 0 && states.size(1) == outputs.size(1);
          if (adds) {
            final =
                final + (sums || final.size(0) == options.encoder.hidden
                             ? states[length - 1]
                             : torch::cat({states[length - 1].narrow(0, 0, options.encoder.hidden),
                                           states[0].slice(0, options.encoder.hidden)}));
          }
          states = adds ? states + outputs : outputs;
        }
        const auto place = static_cast<int64_t>(s);
        EXPECT_LT(MaxDifference(encoded.values[place].narrow(0, 0, length), states), 1e-12);
        EXPECT_LT(MaxDifference(encoded.final[place], final), 1e-12);
      }
    }
  }
}

TEST(RecurrentEncoder, FinalStatesOfLayersAreThoseOfTorch) {
  const torch::NoGradGuard no_grad;
  ModelOptions options = TinyOptions();
  options.encoder.layers = options.decoder.layers = 2;
  options.bridge = BridgeKind::kLayers;
  Encoder encoder = TinyEncoder(options);
  const TensorMap parameters = Parameters(*encoder);
  torch::nn::LSTM lstm(torch::nn::LSTMOptions(options.encoder.embedding, options.encoder.hidden)
                           .num_layers(2)
                           .bidirectional(true));
  lstm->to(torch::kFloat64);
  for (auto& parameter : lstm->named_parameters()) {
    // weight_ih_l0_reverse is backward_0.weight_ih.
    const std::string& name = parameter.key();
    const size_t layer = name.find("_l") + 2;
    const bool reverse = name.find("_reverse") != std::string::npos;
    parameter.value().copy_(
        parameters.at(absl::StrCat(reverse ? "backward_" : "forward_", name.substr(layer, 1), ".",
                                   name.substr(0, layer - 2))));
  }
  const std::vector<Pair> pairs = RandomPairs(options, {{3, 1}, {6, 1}, {1, 1}});
  const Encoded encoded = Encode(encoder, pairs);
  ASSERT_EQ(encoded.layers.size(), 2);
  for (size_t s = 0; s < pairs.size(); ++s) {
    Ids ids = pairs[s].source;
    ids.push_back(kEosId);
    const torch::Tensor embedded =
        parameters.at("embedding.weight").index_select(0, torch::tensor(ids)).unsqueeze(1);
    const auto [hidden, cell_state] = std::get<1>(lstm(embedded));  // [layers x 2, 1, hidden]
    for (int64_t layer = 0; layer < 2; ++layer) {
      const CellState& found = encoded.layers[static_cast<size_t>(layer)];
      const auto place = static_cast<int64_t>(s);
      EXPECT_LT(MaxDifference(found.hidden[place], hidden.narrow(0, 2 * layer, 2).flatten()),
                1e-12);
      EXPECT_LT(
          MaxDifference(found.cell_state[place], cell_state.narrow(0, 2 * layer, 2).flatten()),
          1e-12);
    }
  }
}

TEST(RecurrentEncoder, PaddingAndNeighboursChangeNothing) {
  ModelOptions options = TinyOptions();
  options.encoder.layers = 2;
  Encoder encoder = TinyEncoder(options);
  const std::vector<Pair> pairs = RandomPairs(options, {{3, 1}, {7, 1}, {1, 1}});
  const Encoded together = Encode(encoder, pairs);
  for (size_t s = 0; s < pairs.size(); ++s) {
    const auto place = static_cast<int64_t>(s);
    const Encoded alone = Encode(encoder, {pairs[s]});
    EXPECT_LT(
        MaxDifference(together.values[place].narrow(0, 0, alone.values.size(1)), alone.values[0]),
        1e-12);
    EXPECT_LT(MaxDifference(together.final[place], alone.final[0]), 1e-12);
  }
}

TEST(RecurrentEncoder, ColumnsOfPaddingAloneChangeNothing) {
  const ModelOptions options = TinyOptions();
  Encoder encoder = TinyEncoder(options);
  const Batch batch = MakeBatch(RandomPairs(options, {{3, 1}, {5, 1}}));
  Batch wider = batch;
  wider.source = torch::constant_pad_nd(batch.source, {0, 4}, kPadId);
  const Encoded plain = encoder(batch);
  const Encoded padded = encoder(wider);
  EXPECT_LT(MaxDifference(padded.values.narrow(1, 0, 6), plain.values), 1e-12);
  EXPECT_LT(MaxDifference(padded.final, plain.final), 1e-12);
}

TEST(RecurrentEncoder, ValuesAreZeroAndTheMaskFalseAtPadding) {
  const ModelOptions options = TinyOptions();
  Encoder encoder = TinyEncoder(options);
  const Encoded encoded = Encode(encoder, RandomPairs(options, {{2, 1}, {4, 1}}));
  EXPECT_EQ(encoded.values.size(2), EncodedSize(options));
  EXPECT_TRUE(torch::equal(encoded.Mask(),
                           torch::tensor({{1, 1, 1, 0, 0}, {1, 1, 1, 1, 1}}).to(torch::kBool)));
  EXPECT_TRUE(torch::equal(encoded.values.ne(0).any(2), encoded.Mask()));
}

TEST(RecurrentEncoder, DropoutActsInTrainingOnly) {
  ModelOptions options = TinyOptions();
  options.encoder.dropout = 0.5;
  Encoder encoder = TinyEncoder(options);
  const std::vector<Pair> pairs = RandomPairs(options, {{4, 1}});
  const torch::Tensor plain = Encode(encoder, pairs).values;
  EXPECT_EQ(MaxDifference(Encode(encoder, pairs).values, plain), 0);
  encoder->train();
  EXPECT_GT(MaxDifference(Encode(encoder, pairs).values, plain), 0.01);
}

}  // namespace
}  // namespace seq2seq
