// Word alignment of two lines, as in METEOR.
#ifndef SEQ2SEQ_METRICS_WORD_ALIGNMENT_H_
#define SEQ2SEQ_METRICS_WORD_ALIGNMENT_H_

#include <cstdint>
#include <string>

#include "absl/types/span.h"

namespace seq2seq {

struct WordAlignment {
  int64_t matches = 0;
  int64_t chunks = 0;  // Runs of matches that are neighbours, in the same order, on both sides.
};

// Matches each word with at most one equal word of the other side: as many as possible and, of such
// alignments, one with few chunks (Denkowski and Lavie 2014, "Meteor Universal", section 2.1).
//
// The number of matches is maximal. Finding the fewest chunks takes exponential time where words
// repeat: here a beam of 256 partial alignments finds them, unless a line repeats several words
// many times. Takes microseconds for a sentence, and never more than some hundred operations per
// pair of words.
//
//   AlignWords({"on", "the", "mat"}, {"the", "mat", "on"})  // 3 matches in 2 chunks
WordAlignment AlignWords(absl::Span<const std::string> hypothesis,
                         absl::Span<const std::string> reference);

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_WORD_ALIGNMENT_H_
