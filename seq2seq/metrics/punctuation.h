// Normalisation of punctuation, as Moses' normalize-punctuation.perl.
#ifndef SEQ2SEQ_METRICS_PUNCTUATION_H_
#define SEQ2SEQ_METRICS_PUNCTUATION_H_

#include <string>

#include "seq2seq/metrics/moses_language.h"

namespace seq2seq {

// Replaces quotation marks, dashes, ellipses and no-break spaces by ASCII, removes spaces before
// punctuation, and moves quotation marks behind periods and commas (English) or in front of them
// (German, French): „Ja.“ becomes "Ja".
//
// This is the script before 2019-11, with which the tokenised Multi30k was made; since then ‘ and ‚
// become ' there, and not ".
std::u32string NormalizePunctuation(std::u32string text, MosesLanguage language);

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_PUNCTUATION_H_
