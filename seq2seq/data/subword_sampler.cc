#include "seq2seq/data/subword_sampler.h"

#include <algorithm>
#include <string>

namespace seq2seq {

std::vector<std::vector<int32_t>> SubwordSampler::Sample(
    absl::Span<const absl::Span<const int32_t>> sentences, uint64_t seed) const {
  std::vector<std::string> texts;
  texts.reserve(sentences.size());
  for (const auto& sentence : sentences) texts.push_back(tokenizer_.Decode(sentence));
  std::vector<std::vector<int32_t>> samples =
      tokenizer_.Sample(texts, alpha_, static_cast<uint32_t>(seed));
  for (size_t i = 0; i < samples.size(); ++i) {
    const auto& sentence = sentences[i];
    const bool lost = std::count(sentence.begin(), sentence.end(), kUnknownId) > 0;
    if (lost || samples[i].empty() || static_cast<int64_t>(samples[i].size()) > max_length_)
      samples[i].assign(sentence.begin(), sentence.end());
  }
  return samples;
}

}  // namespace seq2seq
