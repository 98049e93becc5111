// Substitutions in text, the steps of the Perl scripts that define tokenizers.
//
// Each is a scan from left to right, as s///g: matches do not overlap, so that of two neighbours
// the second may stay. They cannot be merged: a later one depends on the spaces that an earlier one
// inserted. All take time linear in the text.
#ifndef SEQ2SEQ_METRICS_SUBSTITUTION_H_
#define SEQ2SEQ_METRICS_SUBSTITUTION_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace seq2seq {

inline std::u32string ReplaceAll(std::u32string_view text, std::u32string_view from,
                                 std::u32string_view to) {
  std::u32string result;
  size_t start = 0;
  for (size_t hit; (hit = text.find(from, start)) != text.npos; start = hit + from.size()) {
    result.append(text, start, hit - start).append(to);
  }
  return result.append(text, start);
}

// Replaces `symbol` between neighbours that satisfy `before` and `after`; both are used up.
template <typename Before, typename After>
std::u32string ReplaceBetween(std::u32string_view text, Before before, char32_t symbol, After after,
                              std::u32string_view to) {
  std::u32string result;
  for (size_t i = 0; i < text.size();) {
    if (i + 2 < text.size() && text[i + 1] == symbol && before(text[i]) && after(text[i + 2])) {
      result += text[i];
      result.append(to) += text[i + 2];
      i += 3;
    } else {
      result += text[i++];
    }
  }
  return result;
}

// Puts spaces around every symbol that satisfies `isolated`.
template <typename Isolated>
std::u32string Isolate(std::u32string_view text, Isolated isolated) {
  std::u32string result;
  for (const char32_t c : text) {
    if (isolated(c)) {
      result += {U' ', c, U' '};
    } else {
      result += c;
    }
  }
  return result;
}

enum class Member { kFirst, kSecond };

// Puts spaces around one member of every pair of neighbours that satisfies `first` and `second`. No
// symbol is in two pairs: the search continues after the second member.
template <typename First, typename Second>
std::u32string IsolateInPairs(std::u32string_view text, First first, Second second,
                              Member isolated) {
  std::u32string result;
  for (size_t i = 0; i < text.size();) {
    if (i + 1 < text.size() && first(text[i]) && second(text[i + 1])) {
      if (isolated == Member::kFirst) {
        result += {U' ', text[i], U' ', text[i + 1]};
      } else {
        result += {text[i], U' ', text[i + 1], U' '};
      }
      i += 2;
    } else {
      result += text[i++];
    }
  }
  return result;
}

template <typename Predicate>
auto Not(Predicate predicate) {
  return [predicate](char32_t c) { return !predicate(c); };
}

inline auto Is(char32_t symbol) {
  return [symbol](char32_t c) { return c == symbol; };
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_SUBSTITUTION_H_
