// Word alignment of parallel sentences, learnt from them.
//
//   const SentencePairs pairs = {size, [&](int64_t i) { return SentencePair{source[i], target[i]};
//   }}; const WordAligner aligner = WordAligner::Learn(pairs, source_vocab, target_vocab);
//   std::cout << PharaohText(aligner.Align(pairs.at(0))) << "\n";  // 0-0 1-2 2-1
#ifndef SEQ2SEQ_ALIGN_WORD_ALIGNER_H_
#define SEQ2SEQ_ALIGN_WORD_ALIGNER_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "seq2seq/align/aligned_words.h"
#include "seq2seq/align/hidden_markov_aligner.h"
#include "seq2seq/align/sentence_pairs.h"
#include "seq2seq/align/symmetrization.h"

namespace seq2seq {

// Hidden Markov models of both directions, and the symmetrisation of their alignments. Ids are
// below the sizes of the vocabularies, and not kEmptyWord. Thread-safe.
class WordAligner {
 public:
  // Costs that of HiddenMarkovAligner::Learn for both directions, over at most `most_pairs` pairs.
  static WordAligner Learn(const SentencePairs& pairs, int64_t source_vocab, int64_t target_vocab,
                           Symmetrization method = Symmetrization::kGrowDiagFinalAnd,
                           int64_t most_pairs = 1'000'000);

  // The links of a pair, in the order of target words; none if a side has more words than
  // HiddenMarkovAligner::kMaxWords.
  std::vector<AlignedWords> Align(const SentencePair& pair) const;

  // t(target | source).
  const LexicalModel& lexical_model() const { return forward_.lexical_model(); }

 private:
  WordAligner(HiddenMarkovAligner forward, HiddenMarkovAligner reverse, Symmetrization method)
      : forward_(std::move(forward)), reverse_(std::move(reverse)), method_(method) {}

  HiddenMarkovAligner forward_;
  HiddenMarkovAligner reverse_;
  Symmetrization method_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_ALIGN_WORD_ALIGNER_H_
