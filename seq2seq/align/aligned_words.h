// A link of a word alignment.
#ifndef SEQ2SEQ_ALIGN_ALIGNED_WORDS_H_
#define SEQ2SEQ_ALIGN_ALIGNED_WORDS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"

namespace seq2seq {

// Positions of two words that translate each other, counted from 0.
struct AlignedWords {
  size_t source = 0;
  size_t target = 0;

  bool operator==(const AlignedWords&) const = default;
};

// "0-0 1-2 …", source and target, in the Pharaoh format.
inline std::string PharaohText(absl::Span<const AlignedWords> links) {
  return absl::StrJoin(links, " ", [](std::string* out, const AlignedWords& link) {
    absl::StrAppend(out, link.source, "-", link.target);
  });
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_ALIGN_ALIGNED_WORDS_H_
