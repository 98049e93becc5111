// Noise of pretraining on plain text: masked subwords, masked spans, shuffled sentences.
#ifndef SEQ2SEQ_DATA_NOISE_H_
#define SEQ2SEQ_DATA_NOISE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

#include "seq2seq/data/objective.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

struct NoiseOptions {
  double mask = 0.15;
  bool whole_words = false;
  double spans = 0.3;
  bool shuffle = true;

  template <typename V>
  void Visit(V&& visit) {
    visit("mask", mask,
          "masked: share of the subwords that are chosen, one at least in each line; more than 0 "
          "and less than 1. Of these 80% become the mask, which is the unknown token, so that any "
          "tokenizer will do; 10% a random subword, and 10% stay.");
    visit("whole_words", whole_words,
          "masked: chooses whole words, each with all its subwords. Harder, and often better; for "
          "languages that are written with spaces.");
    visit("spans", spans,
          "denoising: share of the subwords in spans of Poisson-distributed lengths, 3 on average, "
          "each replaced by one mask, which is the unknown token; 0 or more and less than 1.");
    visit("shuffle", shuffle,
          "denoising: puts the sentences of a line in random order; a sentence ends with . ! or ? "
          "and the quotes and brackets that follow. For lines of several sentences.");
  }
};

// InvalidArgument, naming the key and its value, if an option is out of range.
absl::Status Validate(const NoiseOptions& options);

// A corrupted text, and what a model restores from it.
struct NoisyText {
  std::vector<int32_t> source;     // Without eos.
  std::vector<int32_t> target;     // masked: the chosen subwords; denoising: the text.
  std::vector<int32_t> positions;  // masked: of the chosen subwords in the text, ascending.
};

// Corrupts texts for the objectives masked and denoising. A value; thread-safe.
class Noise {
 public:
  Noise(Objective objective, const NoiseOptions& options, const Tokenizer& tokenizer);

  Objective objective() const { return objective_; }

  // The ids `text` corrupted: a function of `text` and `seed`. Linear in the text.
  NoisyText Corrupt(absl::Span<const int32_t> text, uint64_t seed) const;

 private:
  // How a sentence stands after a subword.
  enum class Ending { kOpen, kEnded, kAsBefore };

  struct Subword {
    bool begins_word = false;
    Ending ending = Ending::kOpen;
  };

  NoisyText Mask(absl::Span<const int32_t> text, uint64_t seed) const;
  std::vector<int32_t> MaskSpans(absl::Span<const int32_t> text, uint64_t seed) const;
  std::vector<int32_t> ShuffleSentences(absl::Span<const int32_t> text, uint64_t seed) const;

  const Subword& subword(int32_t id) const { return subwords_[static_cast<size_t>(id)]; }

  Objective objective_;
  NoiseOptions options_;
  std::vector<Subword> subwords_;  // By id.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_NOISE_H_
