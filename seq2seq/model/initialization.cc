#include "seq2seq/model/initialization.h"

#include <torch/torch.h>

#include "seq2seq/model/cell.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

namespace {

thread_local int skips = 0;

void Fill(const torch::Tensor& weight, Initialization kind, double range) {
  switch (kind) {
    case Initialization::kXavier:
      return InitializeXavier(weight);
    case Initialization::kOrthogonal:
      return InitializeOrthogonal(weight);
    case Initialization::kUniform:
      torch::nn::init::uniform_(weight, -range, range);
      return;
    case Initialization::kZero:
      torch::nn::init::zeros_(weight);
      return;
  }
}

void FillEmbedding(const torch::Tensor& weight, double range) {
  torch::nn::init::uniform_(weight, -range, range);
  const torch::NoGradGuard no_grad;
  weight[kPadId].zero_();
}

// Fills each gate of a matrix [gates x hidden, …] separately.
void FillGates(const torch::Tensor& weight, int64_t hidden, Initialization kind, double range) {
  for (const torch::Tensor& gate : weight.split(hidden)) Fill(gate, kind, range);
}

}  // namespace

void Initialize(torch::nn::Module& module, const InitializationOptions& options) {
  if (skips > 0) return;
  const InitializationOptions defaults;
  module.apply([&](const std::string& name, torch::nn::Module& part) {
    auto* cell = dynamic_cast<CellImpl*>(&part);
    if (cell != nullptr) {
      if (options.weights != defaults.weights)
        FillGates(cell->cell_parameters().weight_ih, cell->hidden(), options.weights,
                  options.range);
      if (options.recurrent != defaults.recurrent)
        FillGates(cell->cell_parameters().weight_hh, cell->hidden(), options.recurrent,
                  options.range);
      if (options.forget_bias != defaults.forget_bias) cell->SetForgetBias(options.forget_bias);
      return;
    }
    const bool embedding = dynamic_cast<torch::nn::EmbeddingImpl*>(&part) != nullptr;
    for (const auto& parameter : part.named_parameters(/*recurse=*/false)) {
      if (embedding) {
        if (options.range != defaults.range) FillEmbedding(parameter.value(), options.range);
      } else if (parameter.value().dim() >= 2 && options.weights != defaults.weights) {
        Fill(parameter.value(), options.weights, options.range);
      }
    }
  });
}

SkipInitialization::SkipInitialization() { ++skips; }
SkipInitialization::~SkipInitialization() { --skips; }

void InitializeXavier(const torch::Tensor& weight) {
  if (skips == 0) torch::nn::init::xavier_uniform_(weight);
}

void InitializeOrthogonal(const torch::Tensor& weight) {
  if (skips == 0) torch::nn::init::orthogonal_(weight);
}

torch::nn::Linear MakeLinear(int64_t input, int64_t output, bool bias) {
  torch::nn::Linear linear(torch::nn::LinearOptions(input, output).bias(bias));
  InitializeXavier(linear->weight);
  if (bias) torch::nn::init::zeros_(linear->bias);
  return linear;
}

torch::nn::Embedding MakeEmbedding(int64_t vocab, int64_t size) {
  torch::nn::Embedding embedding(torch::nn::EmbeddingOptions(vocab, size)
                                     .padding_idx(kPadId)
                                     ._weight(torch::empty({vocab, size})));
  if (skips == 0) FillEmbedding(embedding->weight, InitializationOptions().range);
  return embedding;
}

}  // namespace seq2seq
