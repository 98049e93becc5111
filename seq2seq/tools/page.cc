#include "seq2seq/tools/page.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "seq2seq/base/utf8.h"

namespace seq2seq {
namespace {

constexpr char kStyle[] = R"(
:root { color-scheme: light dark; --ground: #fbfaf8; --ink: #22211f; --faint: #77736b;
  --line: #e2dfd8; --heat: 196, 78, 24; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #181818; --ink: #e8e6e1; --faint: #98948c; --line: #35332f; --heat: 255, 140, 70; }
}
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.25rem 4rem; background: var(--ground);
  color: var(--ink); font: 16px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.2rem; font-weight: 600; margin: 0 0 1.5rem; }
section { border-top: 1px solid var(--line); padding: 1.5rem 0; overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; }
)";

}  // namespace

std::string EscapeHtml(absl::string_view text) {
  return absl::StrReplaceAll(RepairUtf8(text),
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

std::string PageStart(absl::string_view title, absl::string_view style) {
  return absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      EscapeHtml(title), "</title>\n<style>", kStyle, style, "</style>\n</head>\n<body>\n<h1>",
      EscapeHtml(title), "</h1>\n");
}

std::string PageEnd() { return "</body>\n</html>\n"; }

}  // namespace seq2seq
