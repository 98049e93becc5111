#include "seq2seq/search/unknown_words.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "seq2seq/search/alignment.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

constexpr absl::string_view kUnknownMark = "\u2047";  // Of SentencePiece, for an unknown subword.

// The word of a line of `words` words that each of the first `count` of its subwords belongs to;
// empty where that cannot be told: normalisation may join or split words.
std::vector<size_t> WordsOfLine(std::vector<std::string> subwords, size_t count, size_t words) {
  std::vector<size_t> of_subwords = WordOfSubword(subwords, count);
  if (of_subwords.back() + 1 == words) return of_subwords;
  // Without its text, an unknown subword does not tell whether a word begins with it.
  constexpr char kBegin[] = "\u2581";
  for (size_t i = count; i-- > 1;) {
    if (subwords[i] == "<unk>" && subwords[i - 1] != kBegin) subwords[i].insert(0, kBegin);
  }
  of_subwords = WordOfSubword(subwords, count);
  return of_subwords.back() + 1 == words ? of_subwords : std::vector<size_t>();
}

// For each unknown subword of the target the word of the source that it is aligned to.
std::vector<std::string> AlignedSources(const std::string& source, const Candidate& candidate) {
  const Alignment& alignment = candidate.alignment;
  std::vector<std::string> aligned;
  if (alignment.source.size() < 2) return aligned;
  const size_t count = alignment.source.size() - 1;  // Without the end of sentence.
  const std::vector<std::string> texts = absl::StrSplit(source, ' ', absl::SkipEmpty());
  const std::vector<size_t> words = WordsOfLine(alignment.source, count, texts.size());
  for (size_t i = 0; i < candidate.tokens.size(); ++i) {
    if (candidate.tokens[i] != kUnknownId) continue;
    const std::vector<float>& weights = alignment.weights[i];
    const auto most =
        std::max_element(weights.begin(), weights.begin() + static_cast<std::ptrdiff_t>(count));
    const auto position = static_cast<size_t>(most - weights.begin());
    aligned.push_back(words.empty() ? "" : texts[words[position]]);
  }
  return aligned;
}

}  // namespace

void ReplaceUnknownWords(const std::string& source, const Lexicon* lexicon, Candidate& candidate) {
  const std::vector<std::string> words = AlignedSources(source, candidate);
  std::string text;
  absl::string_view rest = candidate.text;
  for (const std::string& word : words) {
    const size_t found = rest.find(kUnknownMark);
    if (found == absl::string_view::npos) break;
    absl::StrAppend(&text, rest.substr(0, found));
    rest.remove_prefix(found + kUnknownMark.size());
    if (word.empty()) {
      absl::StrAppend(&text, kUnknownMark);
      continue;
    }
    absl::StrAppend(&text, lexicon != nullptr ? lexicon->Translate(word) : word);
    // The mark comes with spaces around it, and the next word with another.
    if (absl::StartsWith(rest, "  ")) rest.remove_prefix(1);
  }
  absl::StrAppend(&text, rest);
  candidate.text = std::string(absl::StripAsciiWhitespace(text));
}

}  // namespace seq2seq
