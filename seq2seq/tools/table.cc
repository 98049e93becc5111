#include "seq2seq/tools/table.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

#include "seq2seq/base/utf8.h"
#include "seq2seq/tools/page.h"

namespace seq2seq {
namespace {

using Row = std::vector<std::string>;

bool IsNumber(const std::string& cell) {
  return !cell.empty() && (absl::ascii_isdigit(static_cast<unsigned char>(cell[0])) ||
                           (cell[0] == '-' && cell.size() > 1));
}

// Whether a column is aligned on the right.
std::vector<bool> RightColumns(const Table& table) {
  std::vector<bool> right;
  for (size_t column = 0; column < table.header.size(); ++column) {
    right.push_back(!table.rows.empty() && IsNumber(table.rows.front()[column]));
  }
  return right;
}

// Characters of a cell, as a terminal shows it: those of two columns' width aside.
size_t Width(const std::string& cell) {
  return static_cast<size_t>(
      std::count_if(cell.begin(), cell.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string TextTable(const Table& table) {
  std::vector<size_t> widths(table.header.size());
  std::vector<Row> rows = {table.header};
  rows.insert(rows.end(), table.rows.begin(), table.rows.end());
  for (Row& row : rows) {
    for (size_t column = 0; column < row.size(); ++column) {
      row[column] = Printable(row[column]);
      widths[column] = std::max(widths[column], Width(row[column]));
    }
  }
  const std::vector<bool> right = RightColumns(table);
  std::string text = table.title.empty() ? "" : table.title + "\n";
  for (const Row& row : rows) {
    std::string line;
    for (size_t column = 0; column < row.size(); ++column) {
      const std::string space(widths[column] - Width(row[column]), ' ');
      absl::StrAppend(&line, column > 0 ? "  " : "",
                      right[column] ? space + row[column] : row[column] + space);
    }
    absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(line), "\n");
  }
  return text;
}

std::string MarkdownTable(const Table& table) {
  std::string text = table.title.empty() ? "" : absl::StrCat("**", table.title, "**\n\n");
  const auto add = [&](const Row& row) {
    Row cells;
    for (const std::string& cell : row) {
      cells.push_back(absl::StrReplaceAll(Printable(cell), {{"|", "\\|"}}));
    }
    absl::StrAppend(&text, "| ", absl::StrJoin(cells, " | "), " |\n");
  };
  add(table.header);
  text += "|";
  for (const bool right : RightColumns(table)) text += right ? "---:|" : "---|";
  text += "\n";
  for (const Row& row : table.rows) add(row);
  return text;
}

std::string HtmlTable(const Table& table) {
  const std::vector<bool> right = RightColumns(table);
  std::string text = "<table>\n";
  if (!table.title.empty()) {
    absl::StrAppend(&text, "<caption>", EscapeHtml(table.title), "</caption>\n");
  }
  const auto add = [&](const Row& row, const char* tag) {
    text += "<tr>";
    for (size_t column = 0; column < row.size(); ++column) {
      absl::StrAppend(&text, "<", tag, right[column] ? " class=\"number\">" : ">",
                      EscapeHtml(row[column]), "</", tag, ">");
    }
    text += "</tr>\n";
  };
  text += "<thead>";
  add(table.header, "th");
  text += "</thead>\n<tbody>\n";
  for (const Row& row : table.rows) add(row, "td");
  return text + "</tbody>\n</table>\n";
}

}  // namespace seq2seq
