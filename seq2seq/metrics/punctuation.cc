#include "seq2seq/metrics/punctuation.h"

#include <cstddef>
#include <string_view>
#include <utility>

#include "seq2seq/metrics/substitution.h"
#include "seq2seq/metrics/unicode.h"

namespace seq2seq {
namespace {

// The script works on bytes, so that these are ASCII's.
bool IsAsciiLetter(char32_t c) { return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z'); }
bool IsAsciiSpace(char32_t c) { return c == U' ' || (c >= 0x09 && c <= 0x0D); }

struct Replacement {
  std::u32string_view from;
  std::u32string_view to;
};

// The order matters.
constexpr Replacement kSymbols[] = {
    {U"`", U"'"},  {U"''", U" \" "}, {U"„", U"\""},  {U"“", U"\""},
    {U"”", U"\""}, {U"–", U"-"},     {U"—", U" - "},
};
constexpr Replacement kQuotationMarks[] = {
    {U"‘", U"\""},         {U"‚", U"\""},       {U"’", U"\""},
    {U"''", U"\""},        {U"…", U"..."},      {U"\u00A0«\u00A0", U" \""},
    {U"«\u00A0", U"\""},   {U"«", U"\""},       {U"\u00A0»\u00A0", U"\" "},
    {U"\u00A0»", U"\""},   {U"»", U"\""},       {U"\u00A0%", U"%"},
    {U"nº\u00A0", U"nº "}, {U"\u00A0:", U":"},  {U"\u00A0ºC", U" ºC"},
    {U"\u00A0cm", U" cm"}, {U"\u00A0?", U"?"},  {U"\u00A0!", U"!"},
    {U"\u00A0;", U";"},    {U",\u00A0", U", "},
};

template <size_t kSize>
std::u32string ReplaceEach(std::u32string text, const Replacement (&replacements)[kSize]) {
  for (const Replacement& replacement : replacements) {
    text = ReplaceAll(text, replacement.from, replacement.to);
  }
  return text;
}

std::u32string MergeSpaces(std::u32string_view text) {
  std::u32string result;
  for (const char32_t c : text) {
    if (c != U' ' || result.empty() || result.back() != U' ') result += c;
  }
  return result;
}

std::u32string NormalizeSpaces(std::u32string text) {
  const auto is_closing = [](char32_t c) {
    return std::u32string_view(U".!:?;,").find(c) != std::u32string_view::npos;
  };
  text = ReplaceAll(text, U"\r", U"");
  text = ReplaceAll(text, U"(", U" (");
  text = ReplaceAll(text, U")", U") ");
  text = MergeSpaces(text);
  text = ReplaceBetween(text, Is(U')'), U' ', is_closing, U"");
  text = ReplaceAll(text, U"( ", U"(");
  text = ReplaceAll(text, U" )", U")");
  text = ReplaceBetween(text, IsAsciiDigit, U' ', Is(U'%'), U"");
  text = ReplaceAll(text, U" :", U":");
  return ReplaceAll(text, U" ;", U";");
}

// English: ". and ", become ." and ,".
std::u32string MoveQuotationMarksBehind(std::u32string_view text) {
  std::u32string result;
  for (size_t i = 0; i < text.size();) {
    if (text[i] != U'"') {
      result += text[i++];
      continue;
    }
    ++i;
    while (i < text.size() && (text[i] == U'.' || text[i] == U',')) result += text[i++];
    result += U'"';
  }
  return result;
}

// German, French: ," and ." become ", and "., but not where < follows. Like the rest of the match,
// the space behind and one more character are used up.
std::u32string MoveQuotationMarksBefore(std::u32string text) {
  text = ReplaceAll(text, U",\"", U"\",");
  text += U'\n';  // The script's lines have it, so that a quotation mark at the end is moved too.
  std::u32string result;
  for (size_t i = 0; i < text.size();) {
    size_t quote = i;
    while (quote < text.size() && text[quote] == U'.') ++quote;
    const bool has_quote = quote > i && quote < text.size() && text[quote] == U'"';
    size_t end = quote + 1;
    while (has_quote && end < text.size() && IsAsciiSpace(text[end])) ++end;
    if (has_quote && end < text.size() && text[end] != U'<') ++end;
    if (has_quote && end > quote + 1) {
      result.append(U"\"").append(text, i, quote - i).append(text, quote + 1, end - quote - 1);
      i = end;
    } else if (quote > i) {
      result.append(text, i, quote - i);
      i = quote;
    } else {
      result += text[i++];
    }
  }
  result.pop_back();
  return result;
}

}  // namespace

std::u32string NormalizePunctuation(std::u32string text, MosesLanguage language) {
  text = NormalizeSpaces(std::move(text));
  text = MergeSpaces(ReplaceEach(std::move(text), kSymbols));
  text = ReplaceAll(text, U"´", U"'");
  text = ReplaceBetween(text, IsAsciiLetter, U'‘', IsAsciiLetter, U"'");
  text = ReplaceBetween(text, IsAsciiLetter, U'’', IsAsciiLetter, U"'");
  text = MergeSpaces(ReplaceEach(std::move(text), kQuotationMarks));
  const bool is_english = language == MosesLanguage::kEnglish;
  switch (language) {
    case MosesLanguage::kCzech:
      break;
    case MosesLanguage::kEnglish:
      text = MoveQuotationMarksBehind(text);
      break;
    case MosesLanguage::kFrench:
    case MosesLanguage::kGerman:
      text = MoveQuotationMarksBefore(std::move(text));
      break;
  }
  return ReplaceBetween(text, IsAsciiDigit, U'\u00A0', IsAsciiDigit, is_english ? U"." : U",");
}

}  // namespace seq2seq
