#include "seq2seq/model/encoder.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/data/batch.h"
#include "tests/tiny_model.h"

namespace seq2seq {
namespace {

// The sources of `pairs`, as the encoder is given them.
Encoded Encode(Encoder& encoder, const std::vector<Pair>& pairs) {
  const Batch batch = MakeBatch(pairs);
  return encoder(batch.source, batch.source_lengths);
}

Encoder TinyEncoder(const ModelOptions& options) {
  Encoder encoder = MakeEncoder(options.source_vocab, options.encoder);
  encoder->to(torch::kFloat64);
  encoder->eval();
  Randomize(*encoder, 1);
  return encoder;
}

// One cell of the encoder run by LibTorch over one sentence, [source, input] -> [source, hidden].
torch::Tensor RunTorchLstm(const TensorMap& parameters, const std::string& cell,
                           const torch::Tensor& input) {
  const int64_t hidden = parameters.at(cell + ".weight_hh").size(1);
  torch::nn::LSTM lstm(input.size(1), hidden);
  lstm->to(torch::kFloat64);
  const torch::NoGradGuard no_grad;
  for (auto& parameter : lstm->named_parameters()) {  // weight_ih_l0, …
    const std::string name = parameter.key().substr(0, parameter.key().size() - 3);
    parameter.value().copy_(parameters.at(cell + "." + name));
  }
  return std::get<0>(lstm(input.unsqueeze(1))).squeeze(1);
}

TEST(RecurrentEncoder, AgreesWithTwoTorchLstmsOverEachSentenceAndItsReverse) {
  for (const int64_t layers : {1, 2}) {
    ModelOptions options = TinyOptions();
    options.encoder.layers = layers;
    Encoder encoder = TinyEncoder(options);
    const TensorMap parameters = Parameters(*encoder);
    const std::vector<Pair> pairs = RandomPairs(options, {{3, 1}, {6, 1}, {1, 1}, {4, 1}});
    const Encoded encoded = Encode(encoder, pairs);
    const torch::NoGradGuard no_grad;
    for (size_t s = 0; s < pairs.size(); ++s) {
      Ids ids = pairs[s].source;
      ids.push_back(kEosId);
      const auto length = static_cast<int64_t>(ids.size());
      torch::Tensor ahead, back;
      torch::Tensor states = parameters.at("embedding.weight").index_select(0, torch::tensor(ids));
      for (int64_t layer = 0; layer < layers; ++layer) {
        ahead = RunTorchLstm(parameters, absl::StrCat("forward_", layer), states);
        back = RunTorchLstm(parameters, absl::StrCat("backward_", layer), states.flip(0)).flip(0);
        states = torch::cat({ahead, back}, 1);
      }
      const auto place = static_cast<int64_t>(s);
      EXPECT_LT(MaxDifference(encoded.values[place].narrow(0, 0, length), states), 1e-12);
      EXPECT_LT(MaxDifference(encoded.final[place], torch::cat({ahead[length - 1], back[0]})),
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
  const Encoded plain = encoder(batch.source, batch.source_lengths);
  const Encoded padded =
      encoder(torch::constant_pad_nd(batch.source, {0, 4}, kPadId), batch.source_lengths);
  EXPECT_LT(MaxDifference(padded.values.narrow(1, 0, 6), plain.values), 1e-12);
  EXPECT_LT(MaxDifference(padded.final, plain.final), 1e-12);
}

TEST(RecurrentEncoder, ValuesAreZeroAndTheMaskFalseAtPadding) {
  const ModelOptions options = TinyOptions();
  Encoder encoder = TinyEncoder(options);
  const Encoded encoded = Encode(encoder, RandomPairs(options, {{2, 1}, {4, 1}}));
  EXPECT_EQ(encoded.values.size(2), encoder->output_size());
  EXPECT_TRUE(torch::equal(encoded.mask,
                           torch::tensor({{1, 1, 1, 0, 0}, {1, 1, 1, 1, 1}}).to(torch::kBool)));
  EXPECT_TRUE(torch::equal(encoded.values.ne(0).any(2), encoded.mask));
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
