// Non-breaking prefixes: abbreviations, initials and ordinals whose period does not end a sentence.
#ifndef SEQ2SEQ_METRICS_NONBREAKING_PREFIXES_H_
#define SEQ2SEQ_METRICS_NONBREAKING_PREFIXES_H_

#include <string_view>

#include "seq2seq/metrics/moses_language.h"

namespace seq2seq {

// Whether `word`, without its period, is in Moses' list for the language. Some are only where a
// digit follows: "No. 5", but not "No. Never." Case matters. Thread-safe.
bool IsNonBreakingPrefix(std::u32string_view word, bool digit_follows, MosesLanguage language);

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_NONBREAKING_PREFIXES_H_
