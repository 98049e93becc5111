#include "seq2seq/search/vocabulary.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"

#include "seq2seq/metrics/unicode.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

// Whether `c` belongs to a script without spaces between words.
bool StandsAlone(char32_t c) {
  constexpr char32_t kRanges[][2] = {
      {0x0E00, 0x0FFF},    // Thai, Lao, Tibetan.
      {0x1000, 0x109F},    // Burmese.
      {0x1780, 0x17FF},    // Khmer.
      {0x2E80, 0x9FFF},    // Chinese and Japanese.
      {0xF900, 0xFAFF},    // Their compatibility forms
      {0xFF66, 0xFF9D},    // and half-width ones,
      {0x20000, 0x3FFFF},  // and rare ideographs.
  };
  return std::any_of(std::begin(kRanges), std::end(kRanges),
                     [c](const auto& range) { return c >= range[0] && c <= range[1]; });
}

// Whether a word continues before and after a symbol. A lone byte counts as part of a letter.
bool IsInner(char32_t c) {
  const bool is_byte = c >= 0xDC80 && c <= 0xDCFF;
  return is_byte || ((IsLetter(c) || IsMark(c) || IsNumber(c)) && !StandsAlone(c));
}

constexpr size_t kLongestSymbol = 4;  // Bytes.

bool BeginsInner(absl::string_view text) {
  return !text.empty() && IsInner(DecodeUtf8(text.substr(0, kLongestSymbol)).front());
}

bool EndsInner(absl::string_view text) {
  const size_t begin = text.size() - std::min(text.size(), kLongestSymbol);
  return !text.empty() && IsInner(DecodeUtf8(text.substr(begin)).back());
}

// The byte of a byte subword such as "<0x0A>"; empty if it is none.
std::string ByteText(absl::string_view subword) {
  uint32_t byte = 0;
  const bool is_byte = subword.size() == 6 && subword.substr(0, 3) == "<0x" && subword[5] == '>' &&
                       absl::SimpleHexAtoi(subword.substr(3, 2), &byte);
  return is_byte ? std::string(1, static_cast<char>(byte)) : "";
}

}  // namespace

Vocabulary::Vocabulary(absl::Span<const std::string> subwords) {
  for (size_t id = 0; id < subwords.size(); ++id) {
    std::string text;
    if (id > kEosId) {
      text = ByteText(subwords[id]);
      if (text.empty()) text = absl::StrReplaceAll(subwords[id], {{"▁", " "}});
    }
    continues_.push_back(BeginsInner(text));
    open_.push_back(EndsInner(text));
    can_continue_ = can_continue_ || continues_.back();
    if (!text.empty()) sorted_.push_back(static_cast<int32_t>(id));
    texts_.push_back(std::move(text));
  }
  std::stable_sort(sorted_.begin(), sorted_.end(),
                   [&](int32_t a, int32_t b) { return text(a) < text(b); });
}

absl::Span<const int32_t> Vocabulary::Find(absl::string_view wanted) const {
  const auto begin = std::lower_bound(sorted_.begin(), sorted_.end(), wanted,
                                      [&](int32_t id, auto value) { return text(id) < value; });
  const auto end = std::upper_bound(begin, sorted_.end(), wanted,
                                    [&](auto value, int32_t id) { return value < text(id); });
  return absl::MakeConstSpan(sorted_).subspan(static_cast<size_t>(begin - sorted_.begin()),
                                              static_cast<size_t>(end - begin));
}

std::string Vocabulary::Tail(absl::Span<const int32_t> tokens, size_t bytes) const {
  size_t first = tokens.size();
  for (size_t length = 0; first > 0 && length < bytes;) length += text(tokens[--first]).size();
  std::string tail = first == 0 ? " " : "";
  for (const int32_t token : tokens.subspan(first)) {
    for (const char c : text(token)) {
      if (c != ' ' || tail.empty() || tail.back() != ' ') tail += c;
    }
  }
  return tail;
}

bool Vocabulary::IsBoundary(absl::string_view before, absl::string_view after) {
  return !(EndsInner(before) && BeginsInner(after));
}

}  // namespace seq2seq
