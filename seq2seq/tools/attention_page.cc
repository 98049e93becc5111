#include "seq2seq/tools/attention_page.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

#include "seq2seq/base/file.h"
#include "seq2seq/tools/page.h"

namespace seq2seq {
namespace {

constexpr char kStyle[] = R"(
.output { font-size: 1.15rem; margin: 0 0 .25rem; }
.source { color: var(--faint); margin: 0 0 1rem; }
.words { display: flex; flex-wrap: wrap; gap: .75rem; }
figure { margin: 0; width: 8rem; text-align: center; font-size: .9rem; }
figure.whole { width: 12rem; }
.image { position: relative; aspect-ratio: 1; background-size: cover; background-position: center;
  border-radius: 4px; overflow: hidden; display: grid; }
.image.seen { filter: saturate(.5); }
.image i { background: rgba(255, 255, 255, calc(.82 * var(--a))); }
@media (prefers-color-scheme: dark) { .image i { background: rgba(0, 0, 0, calc(.82 * var(--a))); } }
th { font-weight: 400; white-space: nowrap; padding: .15rem .4rem; }
thead th { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; }
tbody th { text-align: right; }
td { width: 1.6rem; height: 1.6rem; border: 1px solid var(--line);
  background: rgba(var(--heat), var(--a)); }
.error { color: #b3261e; }
)";

// A subword for display: SentencePiece's mark for the beginning of a word becomes a space.
std::string Readable(const std::string& subword) {
  return EscapeHtml(absl::StrReplaceAll(subword, {{"\u2581", " "}}));
}

std::string MediaType(const std::string& path) {
  const std::string name = absl::AsciiStrToLower(path);
  if (absl::EndsWith(name, ".png")) return "image/png";
  if (absl::EndsWith(name, ".webp")) return "image/webp";
  return "image/jpeg";
}

// An overlay with a cell for each position of a square image, the more transparent the larger its
// attention weight; empty if the positions form no square.
std::string Veil(const std::vector<float>& weights) {
  const auto side =
      static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(weights.size()))));
  if (side * side != static_cast<int64_t>(weights.size())) return "";
  const float most = *std::max_element(weights.begin(), weights.end());
  std::string cells;
  for (const float weight : weights) {
    absl::StrAppendFormat(&cells, "<i style=\"--a:%.2f\"></i>", most > 0 ? 1 - weight / most : 1);
  }
  return cells;
}

}  // namespace

std::string AttentionPageStart(const std::string& title) { return PageStart(title, kStyle); }

std::string TranslationSection(const std::string& source, const Candidate& candidate) {
  const Alignment& alignment = candidate.alignment;
  std::string html = absl::StrCat("<section>\n<p class=\"output\">", EscapeHtml(candidate.text),
                                  "</p>\n<p class=\"source\">", EscapeHtml(source), "</p>\n");
  if (alignment.weights.empty()) return html + "</section>\n";
  absl::StrAppend(&html, "<table>\n<thead><tr><th></th>");
  for (const std::string& subword : alignment.source) {
    absl::StrAppend(&html, "<th>", subword == "</s>" ? "(end)" : Readable(subword), "</th>");
  }
  absl::StrAppend(&html, "</tr></thead>\n<tbody>\n");
  for (size_t i = 0; i < alignment.weights.size(); ++i) {
    absl::StrAppend(&html, "<tr><th>",
                    i < candidate.subwords.size() ? Readable(candidate.subwords[i]) : "(end)",
                    "</th>");
    for (size_t j = 0; j < alignment.source.size(); ++j) {
      absl::StrAppendFormat(&html, "<td style=\"--a:%.2f\"></td>", alignment.weights[i][j]);
    }
    absl::StrAppend(&html, "</tr>\n");
  }
  return html + "</tbody>\n</table>\n</section>\n";
}

std::string CaptionSection(const std::string& path, const Candidate& candidate) {
  const Alignment& alignment = candidate.alignment;
  const absl::StatusOr<std::string> bytes = ReadFile(path);
  if (!bytes.ok() || alignment.weights.empty()) {
    return absl::StrCat("<section>\n<p class=\"error\">", EscapeHtml(path),
                        ": cannot be read</p>\n</section>\n");
  }
  // The image is embedded once for all subwords of its caption.
  std::string html =
      absl::StrCat("<section style=\"--image:url(data:", MediaType(path), ";base64,",
                   absl::Base64Escape(*bytes), ")\">\n<p class=\"output\">",
                   EscapeHtml(candidate.text), "</p>\n<p class=\"source\">", EscapeHtml(path),
                   "</p>\n<div class=\"words\">\n<figure class=\"whole\"><div class=\"image\" "
                   "style=\"background-image:var(--image)\"></div></figure>\n");
  const auto side = static_cast<int64_t>(
      std::lround(std::sqrt(static_cast<double>(alignment.weights[0].size()))));
  for (size_t i = 0; i < candidate.subwords.size(); ++i) {
    absl::StrAppend(&html,
                    "<figure><div class=\"image seen\" style=\"background-image:var(--image);"
                    "grid-template:repeat(",
                    side, ",1fr)/repeat(", side, ",1fr)\">", Veil(alignment.weights[i]),
                    "</div><figcaption>", Readable(candidate.subwords[i]),
                    "</figcaption></figure>\n");
  }
  return html + "</div>\n</section>\n";
}

}  // namespace seq2seq
