// Tables as aligned text, Markdown and HTML.
#ifndef SEQ2SEQ_TOOLS_TABLE_H_
#define SEQ2SEQ_TOOLS_TABLE_H_

#include <string>
#include <vector>

namespace seq2seq {

struct Table {
  std::string title = {};                           // Above the table; may be empty.
  std::vector<std::string> header = {};             // A cell for each column.
  std::vector<std::vector<std::string>> rows = {};  // [row, column]
};

// Columns are aligned on the left if their first cell is text, and on the right if it is a number.
// Every table ends with a newline.
std::string TextTable(const Table& table);
std::string MarkdownTable(const Table& table);
std::string HtmlTable(const Table& table);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_TABLE_H_
