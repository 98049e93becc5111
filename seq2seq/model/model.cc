#include "seq2seq/model/model.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/model/copying.h"
#include "seq2seq/model/dropout.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/ops/compute.h"

namespace seq2seq {

ModelImpl::ModelImpl(const ModelOptions& options) : options_(options) {
  torch::nn::Embedding shared = nullptr;
  if (options.shared_embeddings)
    shared = MakeEmbedding(options.target_vocab, EmbeddingSize(options.decoder));
  encoder_ = register_module(EncoderName(options.source), MakeEncoder(options, shared));
  decoder_ = register_module("decoder", MakeDecoder(options, shared));
  Bridge bridge = decoder_->bridge();
  if (!bridge.is_empty()) register_module("bridge", bridge);
  encoder_->Initialize(options.initialization);
  Initialize(*decoder_, options.initialization);
  if (!bridge.is_empty()) Initialize(*bridge, options.initialization);
}

torch::Tensor ModelImpl::forward(const Batch& batch, const TeacherForcing& forcing) {
  const Decoded decoded = Decode(batch, forcing, /*with_attention=*/decoder_->copies());
  const torch::Tensor logits =
      decoder_->Logits(SelectTokens(decoder_->DropOutputs(decoded.outputs), batch));
  if (!decoder_->copies()) return logits;
  const torch::Tensor source = batch.SourcesOfTargets().unsqueeze(1);
  return AddCopies(logits, SelectTokens(decoder_->CopyLogits(decoded.outputs), batch),
                   SelectTokens(decoded.log_attention.exp(), batch),
                   SelectTokens(source.expand_as(decoded.log_attention), batch));
}

Loss ModelImpl::ComputeLoss(const Batch& batch, const TeacherForcing& forcing,
                            const LossTerms& terms) {
  const bool guided = terms.guided_alignment > 0 && batch.alignment.defined();
  const Decoded decoded = Decode(batch, forcing, guided || decoder_->copies());
  Loss loss = decoder_->ComputeLoss(decoded, batch, terms);
  if (decoded.penalty.defined()) loss.objective = loss.objective + terms.scale * decoded.penalty;
  if (guided) {
    loss.objective = loss.objective + terms.scale * terms.guided_alignment *
                                          AlignmentLoss(decoded.log_attention, batch.alignment);
  }
  return loss;
}

Distillation::Teacher ModelImpl::Teach(const Batch& batch) {
  const NoGradPass no_grad;
  return decoder_->Teach(Decode(batch, TeacherForcing(), /*with_attention=*/false).outputs);
}

Decoded ModelImpl::Decode(const Batch& batch, const TeacherForcing& forcing, bool with_attention) {
  Encoded encoded = Encode(batch);
  if (batch.targets_per_source > 1) encoded = encoded.Repeat(batch.targets_per_source);
  const auto start = decoder_->Start(encoded);
  const torch::Tensor fed = is_training()
                                ? DropWords(batch.target_input, options_.decoder.word_dropout)
                                : batch.target_input;
  return decoder_(fed, batch.target_lengths, *start, forcing, with_attention);
}

std::string ModelImpl::DescribePaths() const {
  const std::string encoder = encoder_->DescribePath();
  return absl::StrCat(encoder, encoder.empty() ? "" : ", ", decoder_->DescribePath());
}

std::vector<ParameterGroup> ModelImpl::ParameterGroups() const {
  ParameterGroup trained, pretrained{{}, /*pretrained=*/true};
  const std::string encoder = EncoderName(options_.source) + ".";
  for (const auto& [name, parameter] : Parameters(*this)) {
    const bool is_pretrained =
        absl::StartsWith(name, encoder) && encoder_->IsPretrained(name.substr(encoder.size()));
    (is_pretrained ? pretrained : trained).parameters.emplace(name, parameter);
  }
  std::vector<ParameterGroup> groups = {std::move(trained)};
  if (!pretrained.parameters.empty()) groups.push_back(std::move(pretrained));
  return groups;
}

}  // namespace seq2seq
