#include "seq2seq/model/head_decoder.h"

#include <utility>

#include <torch/torch.h>

#include "seq2seq/base/profile.h"
#include "seq2seq/model/initialization.h"

namespace seq2seq {
namespace {

constexpr char kNoTimeSteps[] = "the head of a masked language model has no time steps";

}  // namespace

std::shared_ptr<const DecoderState> HeadState::Select(const torch::Tensor& sentences,
                                                      const torch::Tensor& rows) const {
  TORCH_CHECK(false, kNoTimeSteps);
}

HeadDecoderImpl::HeadDecoderImpl(const ModelOptions& model, torch::nn::Embedding embedding)
    : DecoderImpl(model.target_vocab, model.decoder, std::move(embedding)),
      dense_(register_module("dense",
                             MakeLinear(EncodedSize(model), model.decoder.hidden, /*bias=*/true))),
      norm_(register_module(
          "norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({model.decoder.hidden})))) {
  MakeOutputLayer(model.decoder.hidden);
}

std::shared_ptr<const DecoderState> HeadDecoderImpl::Start(const Encoded& encoded) {
  auto state = std::make_shared<HeadState>();
  state->encoded = encoded.values;
  return state;
}

Decoded HeadDecoderImpl::forward(const torch::Tensor& tokens, const torch::Tensor& lengths,
                                 const DecoderState& start, const TeacherForcing& forcing,
                                 bool with_attention) {
  const PhaseTimer timer(Phase::kDecoderForward);
  const torch::Tensor& encoded = static_cast<const HeadState&>(start).encoded;
  const torch::Tensor chosen =
      encoded.gather(1, tokens.unsqueeze(2).expand({-1, -1, encoded.size(2)}));
  return {norm_(torch::gelu(dense_(chosen))), {}, {}};
}

DecoderStep HeadDecoderImpl::Step(const torch::Tensor& tokens, const DecoderState& state) {
  TORCH_CHECK(false, kNoTimeSteps);
}

}  // namespace seq2seq
