// The tokenizers are defined by the substitutions of the Perl scripts mteval-v13a and mteval-v14.
// Each pass below is one of them. Matches do not overlap, so that "..5" gives ". .5".

#include "seq2seq/metrics/segments.h"

#include <cstddef>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "seq2seq/metrics/moses_tokenizer.h"
#include "seq2seq/metrics/punctuation.h"
#include "seq2seq/metrics/substitution.h"
#include "seq2seq/metrics/unicode.h"

namespace seq2seq {
namespace {

constexpr absl::string_view kSignatureVersion = "seq2seq-0.1.0";

bool IsPeriodOrComma(char32_t c) { return c == U'.' || c == U','; }

// The printable characters of ASCII but letters, digits, and ' , - .
bool Is13aSymbol(char32_t c) {
  return (c >= U' ' && c <= U'&') || (c >= U'(' && c <= U'+') || c == U'/' ||
         (c >= U':' && c <= U'@') || (c >= U'[' && c <= U'`') || (c >= U'{' && c <= U'~');
}

std::u32string Separate13a(std::u32string text) {
  text = ReplaceAll(text, U"<skipped>", U"");
  text = ReplaceAll(text, U"-\n", U"");
  text = ReplaceAll(text, U"\n", U" ");
  text = ReplaceAll(text, U"&quot;", U"\"");
  text = ReplaceAll(text, U"&amp;", U"&");
  text = ReplaceAll(text, U"&lt;", U"<");
  text = ReplaceAll(text, U"&gt;", U">");
  text = U' ' + text + U' ';
  text = Isolate(text, Is13aSymbol);
  text = IsolateInPairs(text, Not(IsAsciiDigit), IsPeriodOrComma, Member::kSecond);
  text = IsolateInPairs(text, IsPeriodOrComma, Not(IsAsciiDigit), Member::kFirst);
  return IsolateInPairs(text, IsAsciiDigit, Is(U'-'), Member::kSecond);
}

std::u32string SeparateIntl(std::u32string text) {
  text = IsolateInPairs(text, Not(IsNumber), IsPunctuation, Member::kSecond);
  text = IsolateInPairs(text, IsPunctuation, Not(IsNumber), Member::kFirst);
  return Isolate(text, IsSymbol);
}

}  // namespace

absl::StatusOr<Segments> AlignSegments(absl::Span<const std::string> hypotheses,
                                       const std::vector<std::vector<std::string>>& references) {
  if (references.empty()) return absl::InvalidArgumentError("there are no references");
  for (size_t r = 0; r < references.size(); ++r) {
    if (references[r].size() != hypotheses.size()) {
      return absl::InvalidArgumentError(absl::StrCat("there are ", hypotheses.size(),
                                                     " hypotheses, but reference ", r + 1, " has ",
                                                     references[r].size(), " sentences"));
    }
  }

  Segments result;
  result.segments.reserve(hypotheses.size());
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    Segment segment{hypotheses[i], {}};
    for (const std::vector<std::string>& reference : references) {
      if (!reference[i].empty()) segment.references.emplace_back(reference[i]);
    }
    if (segment.references.empty()) segment.references.emplace_back();

    const auto count = static_cast<int64_t>(segment.references.size());
    const bool agrees = i == 0 || count == result.num_references;
    result.num_references = agrees ? count : 0;
    result.segments.push_back(std::move(segment));
  }
  return result;
}

std::vector<std::string> Tokenize(absl::string_view line, Tokenization tokenization, bool lowercase,
                                  MosesLanguage language) {
  const bool is_moses =
      tokenization == Tokenization::kMoses || tokenization == Tokenization::kMosesNorm;
  std::u32string text = DecodeUtf8(line);
  if (lowercase && !is_moses) text = ToLower(text);
  // kIntl splits "2020. ", but not "2020.": trailing spaces must not matter.
  while (!text.empty() && IsSpace(text.back())) text.pop_back();

  switch (tokenization) {
    case Tokenization::k13a:
      text = Separate13a(std::move(text));
      break;
    case Tokenization::kNone:
    case Tokenization::kSubwords:
      break;
    case Tokenization::kIntl:
      text = SeparateIntl(std::move(text));
      break;
    case Tokenization::kChar:
      text = Isolate(text, [](char32_t) { return true; });
      break;
    case Tokenization::kMosesNorm:
      text = NormalizePunctuation(std::move(text), language);
      [[fallthrough]];
    case Tokenization::kMoses:
      text = SeparateMoses(std::move(text), language);
      break;
  }
  if (lowercase && is_moses) text = ToLower(text);  // Case decides about periods.

  std::vector<std::string> tokens;
  for (const std::u32string_view token : SplitAtSpaces(text)) tokens.push_back(EncodeUtf8(token));
  return tokens;
}

std::string FormatSignature(int64_t num_references, bool lowercase, absl::string_view details) {
  return absl::StrCat("nrefs:", num_references > 0 ? absl::StrCat(num_references) : "var",
                      "|case:", lowercase ? "lc" : "mixed", "|", details,
                      "|version:", kSignatureVersion);
}

}  // namespace seq2seq
