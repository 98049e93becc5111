// Subwords of a vocabulary as text, and word boundaries.
#ifndef SEQ2SEQ_SEARCH_VOCABULARY_H_
#define SEQ2SEQ_SEARCH_VOCABULARY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seq2seq {

// Determines where words end: at a space, at punctuation and symbols, and at the end of a text. In
// scripts that are written without spaces (Chinese, Japanese, Thai, …) each character is a word.
//
// Immutable, and so thread-safe. Costs a pass over the vocabulary, and about 100 bytes per subword.
class Vocabulary {
 public:
  // `subwords` as in a SentencePiece model, by id: "▁Ein", "<0x41>" for a byte.
  explicit Vocabulary(absl::Span<const std::string> subwords);

  // Whether `before` and `token`, which follows it, are parts of one word.
  bool InOneWord(int32_t before, int32_t token) const {
    return IsOpen(before) && continues_[static_cast<size_t>(token)];
  }

  // Whether a word that ends with `token` may continue.
  bool IsOpen(int32_t token) const { return open_[static_cast<size_t>(token)]; }

  // Whether any subword can continue a word; else each word is one subword.
  bool can_continue() const { return can_continue_; }

  // With a space for each ▁; empty for tokens that are not text, as end of sentence.
  const std::string& text(int32_t token) const { return texts_[static_cast<size_t>(token)]; }

  // The subwords whose text is `text`.
  absl::Span<const int32_t> Find(absl::string_view text) const;

  // The end of the text of `tokens`, of at least `bytes` bytes if there are as many: repeated
  // spaces become one, and a space comes before the first word.
  std::string Tail(absl::Span<const int32_t> tokens, size_t bytes) const;

  // Whether a word ends between two texts that follow each other.
  static bool IsBoundary(absl::string_view before, absl::string_view after);

 private:
  std::vector<std::string> texts_;
  std::vector<bool> continues_, open_;
  bool can_continue_ = false;
  std::vector<int32_t> sorted_;  // By text, without those that have none.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_VOCABULARY_H_
