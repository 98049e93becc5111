#include "seq2seq/metrics/moses_tokenizer.h"

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "seq2seq/metrics/nonbreaking_prefixes.h"
#include "seq2seq/metrics/substitution.h"
#include "seq2seq/metrics/unicode.h"

namespace seq2seq {
namespace {

// Stands for a period in "..", "..." and so on, each of which is one token, until the single
// periods are done. Past the last code point.
constexpr char32_t kPeriodInRun = 0x110000;

// Removes control characters; a run of spaces becomes one, and none at the ends.
std::u32string Clean(std::u32string_view text) {
  std::u32string result;
  for (const char32_t c : text) {
    const bool is_separator = c >= 0x1C && c <= 0x1F;  // Space for Python, but not for Perl.
    if (IsSpace(c) && !is_separator) {
      if (!result.empty() && result.back() != U' ') result += U' ';
    } else if (c >= U' ') {
      result += c;
    }
  }
  if (result.ends_with(U' ')) result.pop_back();
  return result;
}

bool StandsAlone(char32_t c) {
  return !IsAlphabetic(c) && !IsDigit(c) &&
         std::u32string_view(U" .'`,-").find(c) == std::u32string_view::npos;
}

std::u32string IsolateRunsOfPeriods(std::u32string_view text) {
  std::u32string result;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && text[end] == U'.') ++end;
    if (end - i >= 2) {
      result.append(U" ").append(end - i, kPeriodInRun).append(U" ");
      i = end;
    } else {
      result += text[i++];
    }
  }
  return result;
}

// Commas stay between numbers only.
std::u32string SeparateCommas(std::u32string text) {
  text = IsolateInPairs(text, Not(IsNumber), Is(U','), Member::kSecond);
  text = IsolateInPairs(text, Is(U','), Not(IsNumber), Member::kFirst);
  if (text.size() >= 2 && text.back() == U',' && IsNumber(text[text.size() - 2])) {
    text.insert(text.size() - 1, 1, U' ');
  }
  return text;
}

// An apostrophe between letters belongs to what follows: isn 't.
std::u32string SeparateEnglishApostrophes(std::u32string text) {
  const auto is_other = [](char32_t c) { return !IsAlphabetic(c) && !IsNumber(c); };
  text = ReplaceBetween(text, Not(IsAlphabetic), U'\'', Not(IsAlphabetic), U" ' ");
  text = ReplaceBetween(text, is_other, U'\'', IsAlphabetic, U" ' ");
  text = ReplaceBetween(text, IsAlphabetic, U'\'', Not(IsAlphabetic), U" ' ");
  text = ReplaceBetween(text, IsAlphabetic, U'\'', IsAlphabetic, U" '");
  return ReplaceBetween(text, IsNumber, U'\'', Is(U's'), U" '");  // 1990 's
}

// Or to what precedes: l' eau.
std::u32string SeparateFrenchApostrophes(std::u32string text) {
  text = ReplaceBetween(text, Not(IsAlphabetic), U'\'', Not(IsAlphabetic), U" ' ");
  text = ReplaceBetween(text, Not(IsAlphabetic), U'\'', IsAlphabetic, U" ' ");
  text = ReplaceBetween(text, IsAlphabetic, U'\'', Not(IsAlphabetic), U" ' ");
  return ReplaceBetween(text, IsAlphabetic, U'\'', IsAlphabetic, U"' ");
}

std::u32string SeparateApostrophes(std::u32string text, MosesLanguage language) {
  switch (language) {
    case MosesLanguage::kEnglish:
      return SeparateEnglishApostrophes(std::move(text));
    case MosesLanguage::kFrench:
      return SeparateFrenchApostrophes(std::move(text));
    case MosesLanguage::kCzech:
    case MosesLanguage::kGerman:
      return Isolate(text, Is(U'\''));
  }
  return text;
}

// Whether `word`, which a period and then `next` follow, keeps the period.
bool KeepsPeriod(std::u32string_view word, std::u32string_view next, MosesLanguage language) {
  bool has_letter = false;
  for (const char32_t c : word) has_letter = has_letter || IsAlphabetic(c);
  if (has_letter && word.find(U'.') != word.npos) return true;  // "U.S."
  const bool digit_follows = next.front() >= U'0' && next.front() <= U'9';
  return IsLowercase(next.front()) || IsNonBreakingPrefix(word, digit_follows, language);
}

std::u32string SeparatePeriods(std::u32string_view text, MosesLanguage language) {
  const std::vector<std::u32string_view> words = SplitAtSpaces(text);
  std::u32string result;
  for (size_t i = 0; i < words.size(); ++i) {
    std::u32string_view word = words[i];
    if (i > 0) result += U' ';
    if (word.size() < 2 || word.back() != U'.') {
      result += word;
      continue;
    }
    word.remove_suffix(1);
    const bool is_last = i + 1 == words.size();
    const bool keeps = !is_last && KeepsPeriod(word, words[i + 1], language);
    result.append(word).append(keeps ? U"." : U" .");
  }
  if (result.ends_with(U".'")) result.replace(result.size() - 2, 2, U" . '");
  return result;
}

}  // namespace

std::u32string SeparateMoses(std::u32string text, MosesLanguage language) {
  text = Clean(text);
  text = Isolate(text, StandsAlone);
  text = IsolateRunsOfPeriods(text);
  text = SeparateCommas(std::move(text));
  text = SeparateApostrophes(std::move(text), language);
  text = SeparatePeriods(text, language);
  for (char32_t& c : text) c = c == kPeriodInRun ? U'.' : c;
  return text;
}

}  // namespace seq2seq
