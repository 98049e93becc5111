// The subwords of a vocabulary as text.
#ifndef SEQ2SEQ_SEARCH_VOCABULARY_H_
#define SEQ2SEQ_SEARCH_VOCABULARY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seq2seq {

// Tells where words end: at a space, at punctuation and symbols, and at the end of a text. In
// scripts that are written without spaces (Chinese, Japanese, Thai, …) each character is a word.
//
// Immutable, and so thread-safe. Costs a pass over the vocabulary, and about 100 bytes a subword.
class Vocabulary {
 public:
  // `subwords` as they stand in a SentencePiece model, by id: "▁Ein", "<0x41>" for a byte.
  explicit Vocabulary(absl::Span<const std::string> subwords);

  // Whether both are parts of one word when `token` follows `before`.
  bool InOneWord(int32_t before, int32_t token) const {
    return IsOpen(before) && continues_[static_cast<size_t>(token)];
  }

  // Whether a word that ends with `token` may go on.
  bool IsOpen(int32_t token) const { return open_[static_cast<size_t>(token)]; }

  // Whether any subword goes on with a word; else each word is one subword.
  bool can_continue() const { return can_continue_; }

  // A space for each ▁; empty for what is no part of a text, as the end of sentence is.
  const std::string& text(int32_t token) const { return texts_[static_cast<size_t>(token)]; }

  // The subwords with the text `text`.
  absl::Span<const int32_t> Find(absl::string_view text) const;

  // The last characters of the text of `tokens`, at least `bytes` where there are so many: spaces
  // that follow one another are one, and a space comes before the first word.
  std::string Tail(absl::Span<const int32_t> tokens, size_t bytes) const;

  // Whether a word ends between two texts when one follows the other.
  static bool IsBoundary(absl::string_view before, absl::string_view after);

 private:
  std::vector<std::string> texts_;
  std::vector<bool> continues_, open_;
  bool can_continue_ = false;
  std::vector<int32_t> sorted_;  // By text, those without one left out.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_VOCABULARY_H_
