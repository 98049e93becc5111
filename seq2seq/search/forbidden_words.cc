#include "seq2seq/search/forbidden_words.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace seq2seq {
namespace {

// Whether `text` ends with `begin`, a phrase or its beginning; its space matches any word boundary.
bool EndsWithBegin(absl::string_view text, absl::string_view begin) {
  if (begin.empty()) return true;
  const absl::string_view words = begin.substr(1);
  if (!absl::EndsWith(text, words)) return false;
  return Vocabulary::IsBoundary(text.substr(0, text.size() - words.size()), words);
}

}  // namespace

ForbiddenWords::ForbiddenWords(absl::Span<const TokenIds> phrases, const Vocabulary& vocabulary,
                               bool whole_words)
    : vocabulary_(vocabulary) {
  for (const TokenIds& tokens : phrases) {
    Phrase phrase;
    phrase.text = vocabulary.Tail(tokens, std::numeric_limits<size_t>::max());
    while (absl::EndsWith(phrase.text, " ")) phrase.text.pop_back();
    if (phrase.text.empty()) continue;
    phrase.may_go_on = whole_words && vocabulary.can_continue() && vocabulary.IsOpen(tokens.back());
    for (size_t begin = 0; begin < phrase.text.size(); ++begin) {
      for (const int32_t token : vocabulary.Find(absl::string_view(phrase.text).substr(begin)))
        phrase.endings.push_back({token, begin});
    }
    longest_ = std::max(longest_, phrase.text.size());
    phrases_.push_back(std::move(phrase));
  }
}

std::string ForbiddenWords::Tail(const TokenIds& tokens) const {
  constexpr size_t kSymbol = 4;  // Bytes of the symbol before a phrase.
  return vocabulary_.Tail(tokens, longest_ + kSymbol);
}

bool ForbiddenWords::Completes(absl::string_view tail, const Phrase& phrase,
                               const Ending& ending) const {
  if (absl::StartsWith(vocabulary_.text(ending.token), " ")) tail = absl::StripSuffix(tail, " ");
  return EndsWithBegin(tail, absl::string_view(phrase.text).substr(0, ending.begin));
}

void ForbiddenWords::Apply(const TokenIds& tokens, size_t given, bool at_once,
                           const ScoreRow& row) const {
  const std::string tail = Tail(tokens);
  bool must_go_on = false;
  for (const Phrase& phrase : phrases_) {
    if (phrase.may_go_on && tokens.size() > given && EndsWithBegin(tail, phrase.text))
      must_go_on = true;
    if (phrase.may_go_on && !at_once) continue;
    for (const Ending& ending : phrase.endings) {
      float* score = row.Find(ending.token);
      if (score != nullptr && Completes(tail, phrase, ending)) *score = kNever;
    }
  }
  if (!must_go_on) return;
  for (size_t column = 0; column < row.scores.size(); ++column) {
    if (!vocabulary_.InOneWord(tokens.back(), row.Token(column))) row.scores[column] = kNever;
  }
}

bool ForbiddenWords::Bars(const TokenIds& tokens, size_t given, bool at_once, int32_t token) const {
  const std::string tail = Tail(tokens);
  for (const Phrase& phrase : phrases_) {
    const bool goes_on = phrase.may_go_on && tokens.size() > given;
    if (goes_on && EndsWithBegin(tail, phrase.text) && !vocabulary_.InOneWord(tokens.back(), token))
      return true;
    if (phrase.may_go_on && !at_once) continue;
    for (const Ending& ending : phrase.endings) {
      if (ending.token == token && Completes(tail, phrase, ending)) return true;
    }
  }
  return false;
}

std::string ForbiddenWords::Find(const TokenIds& tokens) const {
  const std::string text = vocabulary_.Tail(tokens, std::numeric_limits<size_t>::max());
  for (const Phrase& phrase : phrases_) {
    const absl::string_view words = absl::string_view(phrase.text).substr(1);
    for (size_t end = words.size(); end <= text.size(); ++end) {
      const absl::string_view all = text;
      const bool ends = !phrase.may_go_on || Vocabulary::IsBoundary(words, all.substr(end));
      if (ends && EndsWithBegin(all.substr(0, end), phrase.text)) return std::string(words);
    }
  }
  return "";
}

}  // namespace seq2seq
