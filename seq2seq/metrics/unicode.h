// Unicode code points, the characters that the metrics count.
//
// Categories and letter case agree with Python's str and regex, because the scores must agree with
// sacreBLEU. All functions are pure and take time linear in the text.
#ifndef SEQ2SEQ_METRICS_UNICODE_H_
#define SEQ2SEQ_METRICS_UNICODE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/string_view.h"

namespace seq2seq {

// Decodes UTF-8. A byte that is no part of a valid sequence becomes a symbol of its own, U+DC00 +
// byte: no valid text decodes to it, and EncodeUtf8 restores the byte.
std::u32string DecodeUtf8(absl::string_view text);

// The inverse of DecodeUtf8, for every string of bytes.
std::string EncodeUtf8(std::u32string_view text);

bool IsSpace(char32_t c);        // As str.isspace(): separators, line ends, tabs.
bool IsLetter(char32_t c);       // Category L.
bool IsMark(char32_t c);         // Category M: accents and vowel signs that are parts of letters.
bool IsAlphabetic(char32_t c);   // Categories L and Nl: letters and letter-like numbers.
bool IsLowercase(char32_t c);    // Category Ll.
bool IsDigit(char32_t c);        // Category Nd: decimal digits of all scripts.
bool IsNumber(char32_t c);       // Category N: digits of all scripts, Roman numerals, fractions.
bool IsPunctuation(char32_t c);  // Category P.
bool IsDash(char32_t c);         // Category Pd: the hyphen-minus, hyphens, dashes.
bool IsSymbol(char32_t c);       // Category S: currency, mathematics, emoji.

// Lower case as str.lower(), in any locale; a capital sigma at a word's end becomes final.
std::u32string ToLower(std::u32string_view text);

inline bool IsAsciiDigit(char32_t c) { return c >= U'0' && c <= U'9'; }

// The non-empty runs between spaces; views into `text`.
std::vector<std::u32string_view> SplitAtSpaces(std::u32string_view text);

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_UNICODE_H_
