#include "seq2seq/metrics/unicode.h"

#include <cstddef>

#include <utf8proc.h>

namespace seq2seq {
namespace {

// Surrogates are invalid in UTF-8, so none of U+DC80..U+DCFF comes from a valid sequence.
constexpr char32_t kInvalidByte = 0xDC00;

constexpr char32_t kCapitalIWithDot = 0x130;
constexpr char32_t kCombiningDotAbove = 0x307;
constexpr char32_t kCapitalSigma = 0x3A3;
constexpr char32_t kSmallSigma = 0x3C3;
constexpr char32_t kFinalSigma = 0x3C2;

utf8proc_category_t Category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

bool IsCased(char32_t c) {
  const auto category = Category(c);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT;
}

// Characters that do not end a word: accents, modifiers, and punctuation that stands inside words.
bool IsCaseIgnorable(char32_t c) {
  switch (Category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return std::u32string_view(U"'.:\u00B7\u2018\u2019\u2024\u2027").find(c) !=
             std::u32string_view::npos;
  }
}

// The condition Final_Sigma of the Unicode Standard, section 3.13: a letter before, none after.
bool EndsWord(std::u32string_view text, size_t sigma) {
  size_t before = sigma;
  while (before > 0 && IsCaseIgnorable(text[before - 1])) --before;
  if (before == 0 || !IsCased(text[before - 1])) return false;
  size_t after = sigma + 1;
  while (after < text.size() && IsCaseIgnorable(text[after])) ++after;
  return after == text.size() || !IsCased(text[after]);
}

}  // namespace

std::u32string DecodeUtf8(absl::string_view text) {
  std::u32string symbols;
  symbols.reserve(text.size());
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const size_t size = text.size();
  for (size_t i = 0; i < size;) {
    utf8proc_int32_t c;
    const utf8proc_ssize_t length =
        utf8proc_iterate(bytes + i, static_cast<utf8proc_ssize_t>(size - i), &c);
    symbols += length > 0 ? static_cast<char32_t>(c) : kInvalidByte + bytes[i];
    i += length > 0 ? static_cast<size_t>(length) : 1;
  }
  return symbols;
}

std::string EncodeUtf8(std::u32string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (const char32_t c : text) {
    if (c >= kInvalidByte + 0x80 && c <= kInvalidByte + 0xFF) {
      bytes += static_cast<char>(c - kInvalidByte);
      continue;
    }
    utf8proc_uint8_t sequence[4];
    const utf8proc_ssize_t length =
        utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), sequence);
    bytes.append(reinterpret_cast<const char*>(sequence), static_cast<size_t>(length));
  }
  return bytes;
}

bool IsSpace(char32_t c) {
  if ((c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85) return true;
  const auto category = Category(c);
  return category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP;
}

bool IsLetter(char32_t c) {
  const auto category = Category(c);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool IsMark(char32_t c) {
  const auto category = Category(c);
  return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

bool IsAlphabetic(char32_t c) { return IsLetter(c) || Category(c) == UTF8PROC_CATEGORY_NL; }

bool IsLowercase(char32_t c) { return Category(c) == UTF8PROC_CATEGORY_LL; }

bool IsDigit(char32_t c) { return Category(c) == UTF8PROC_CATEGORY_ND; }

bool IsNumber(char32_t c) {
  const auto category = Category(c);
  return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool IsPunctuation(char32_t c) {
  const auto category = Category(c);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool IsDash(char32_t c) { return Category(c) == UTF8PROC_CATEGORY_PD; }

bool IsSymbol(char32_t c) {
  const auto category = Category(c);
  return category >= UTF8PROC_CATEGORY_SM && category <= UTF8PROC_CATEGORY_SO;
}

std::u32string ToLower(std::u32string_view text) {
  std::u32string lower;
  lower.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == kCapitalIWithDot) {  // The one letter whose lower case is two code points.
      lower += {U'i', kCombiningDotAbove};
    } else if (text[i] == kCapitalSigma) {
      lower += EndsWord(text, i) ? kFinalSigma : kSmallSigma;
    } else {
      lower += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(text[i])));
    }
  }
  return lower;
}

std::vector<std::u32string_view> SplitAtSpaces(std::u32string_view text) {
  std::vector<std::u32string_view> runs;
  size_t start = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && !IsSpace(text[i])) continue;
    if (i > start) runs.push_back(text.substr(start, i - start));
    start = i + 1;
  }
  return runs;
}

}  // namespace seq2seq
