#include "seq2seq/data/batch.h"

#include <algorithm>

#include <torch/torch.h>

#include "seq2seq/data/stack.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

// The sentences as padded rows, `front` before and `back` after each; a negative id stands for
// none.
torch::Tensor Pad(absl::Span<const absl::Span<const int32_t>> sentences, int32_t front,
                  int32_t back) {
  size_t longest = 0;
  for (const auto& sentence : sentences) longest = std::max(longest, sentence.size());
  const int64_t width = static_cast<int64_t>(longest) + (front >= 0 ? 1 : 0) + (back >= 0 ? 1 : 0);
  torch::Tensor padded =
      torch::full({static_cast<int64_t>(sentences.size()), width}, kPadId, torch::kInt64);
  auto* row = padded.data_ptr<int64_t>();
  for (const auto& sentence : sentences) {
    int64_t* next = row;
    if (front >= 0) *next++ = front;
    next = std::copy(sentence.begin(), sentence.end(), next);
    if (back >= 0) *next = back;
    row += width;
  }
  return padded;
}

// The number of ids of each sentence, without eos: [sentence].
torch::Tensor Lengths(absl::Span<const absl::Span<const int32_t>> sentences) {
  torch::Tensor lengths = torch::empty({static_cast<int64_t>(sentences.size())}, torch::kInt64);
  auto* length = lengths.data_ptr<int64_t>();
  for (const auto& sentence : sentences) *length++ = static_cast<int64_t>(sentence.size());
  return lengths;
}

Batch CollateSentences(absl::Span<const absl::Span<const int32_t>> sources) {
  Batch batch;
  batch.source = Pad(sources, -1, kEosId);
  batch.source_lengths = Lengths(sources) + 1;
  return batch;
}

Batch CollateImages(absl::Span<const SourceInput* const> inputs) {
  std::vector<Array> images;
  for (const SourceInput* input : inputs) images.push_back(input->values);
  Batch batch;
  batch.values = Stack(images);
  // The network decides how many positions pixels become.
  const bool has_features = batch.values.dim() == 3;
  if (has_features)
    batch.source_lengths = torch::full({batch.size()}, batch.values.size(1), torch::kInt64);
  return batch;
}

}  // namespace

Batch Batch::To(torch::Device device) const {
  Batch moved = *this;
  for (torch::Tensor* tensor : {&moved.source, &moved.target_input, &moved.target_output,
                                &moved.target_weights, &moved.alignment, &moved.values}) {
    if (tensor->defined()) *tensor = tensor->to(device, /*non_blocking=*/true);
  }
  return moved;
}

Batch CollateSources(absl::Span<const SourceInput* const> inputs) {
  TORCH_CHECK(!inputs.empty(), "no inputs to collate");
  if (inputs[0]->values.defined()) return CollateImages(inputs);
  std::vector<absl::Span<const int32_t>> sentences;
  for (const SourceInput* input : inputs) sentences.push_back(input->ids);
  return CollateSentences(sentences);
}

Batch Collate(absl::Span<const Example> examples) {
  std::vector<absl::Span<const int32_t>> sources;
  std::vector<absl::Span<const int32_t>> targets;
  for (const Example& example : examples) {
    sources.push_back(example.source);
    targets.push_back(example.target);
  }
  Batch batch = CollateSentences(sources);
  batch.target_input = Pad(targets, kBosId, -1);
  batch.target_output = Pad(targets, -1, kEosId);
  batch.target_lengths = Lengths(targets) + 1;
  batch.target_tokens = batch.target_lengths.sum().item<int64_t>();
  return batch;
}

Batch Collate(absl::Span<const Example> examples, const Noise& noise,
              absl::Span<const uint64_t> seeds) {
  std::vector<NoisyText> texts;
  for (size_t i = 0; i < examples.size(); ++i)
    texts.push_back(noise.Corrupt(examples[i].target, seeds[i]));
  std::vector<Example> noisy;
  std::vector<absl::Span<const int32_t>> positions;
  std::vector<absl::Span<const int32_t>> targets;
  for (const NoisyText& text : texts) {
    noisy.push_back({text.source, text.target});
    positions.push_back(text.positions);
    targets.push_back(text.target);
  }
  Batch batch = Collate(noisy);
  if (noise.objective() != Objective::kMasked) return batch;
  batch.target_input = Pad(positions, -1, -1);
  batch.target_output = Pad(targets, -1, -1);
  batch.target_lengths = Lengths(targets);
  batch.target_tokens = batch.target_lengths.sum().item<int64_t>();
  return batch;
}

Batch Collate(absl::Span<const Example> examples, const ImageReader& read,
              std::optional<uint64_t> seed) {
  Batch batch = Collate(examples);
  if (!read) return batch;
  std::vector<int64_t> images;
  for (const Example& example : examples) images.push_back(example.source[0]);
  batch.values = read(images, seed);
  return batch;
}

torch::Tensor CollateAlignments(absl::Span<const Example> examples, const WordAligner& aligner) {
  size_t source = 0, target = 0;
  for (const Example& example : examples) {
    source = std::max(source, example.source.size() + 1);
    target = std::max(target, example.target.size() + 1);
  }
  const auto count = static_cast<int64_t>(examples.size());
  torch::Tensor alignment =
      torch::zeros({count, static_cast<int64_t>(target), static_cast<int64_t>(source)});
  for (size_t i = 0; i < examples.size(); ++i) {
    const Example& example = examples[i];
    float* const rows = alignment.data_ptr<float>() + i * target * source;
    std::vector<AlignedWords> links = aligner.Align({example.source, example.target});
    links.push_back({example.source.size(), example.target.size()});
    std::vector<float> links_of_target(target);
    for (const AlignedWords& link : links) ++links_of_target[link.target];
    for (const AlignedWords& link : links)
      rows[link.target * source + link.source] = 1 / links_of_target[link.target];
  }
  return alignment;
}

}  // namespace seq2seq
