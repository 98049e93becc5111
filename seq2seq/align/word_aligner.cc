#include "seq2seq/align/word_aligner.h"

namespace seq2seq {
namespace {

SentencePair Swapped(const SentencePair& pair) { return {pair.target, pair.source}; }

}  // namespace

WordAligner WordAligner::Learn(const SentencePairs& pairs, int64_t source_vocab,
                               int64_t target_vocab, Symmetrization method, int64_t most_pairs) {
  const SentencePairs some = pairs.AtMost(most_pairs);
  const SentencePairs swapped = {some.size, [&](int64_t index) { return Swapped(some.at(index)); }};
  return WordAligner(HiddenMarkovAligner::Learn(some, source_vocab),
                     HiddenMarkovAligner::Learn(swapped, target_vocab), method);
}

std::vector<AlignedWords> WordAligner::Align(const SentencePair& pair) const {
  constexpr size_t kMost = HiddenMarkovAligner::kMaxWords;
  if (pair.source.size() > kMost || pair.target.size() > kMost) return {};
  return Symmetrize(forward_.Align(pair), reverse_.Align(Swapped(pair)), method_);
}

}  // namespace seq2seq
