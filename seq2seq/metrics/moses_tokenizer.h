// The Moses tokenizer (Koehn et al. 2007, "Moses: Open Source Toolkit for Statistical Machine
// Translation"), as tokenizer.perl -l LANGUAGE without other options.
#ifndef SEQ2SEQ_METRICS_MOSES_TOKENIZER_H_
#define SEQ2SEQ_METRICS_MOSES_TOKENIZER_H_

#include <string>

#include "seq2seq/metrics/moses_language.h"

namespace seq2seq {

// Returns the text with spaces between its tokens:
//
//   SeparateMoses(U"Dr. Who isn't here.", MosesLanguage::kEnglish)   // Dr. Who isn 't here .
//   SeparateMoses(U"L'été, à 3,5 km...", MosesLanguage::kFrench)     // L' été , à 3,5 km ...
//
// Hyphens stay within words. A period stays with its word, unless that is the line's last, where
// the word contains a letter and a period, where the next word is in lower case, and behind the
// non-breaking prefixes of the language. Special characters are not escaped (& stays, instead of
// &amp;), which changes no count of n-grams.
//
// The script asks Perl what is a letter. Here these are Unicode's letters and letter-like numbers:
// the same in the Latin, Greek and Cyrillic scripts, while vowel signs of others become tokens.
std::u32string SeparateMoses(std::u32string text, MosesLanguage language);

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_MOSES_TOKENIZER_H_
