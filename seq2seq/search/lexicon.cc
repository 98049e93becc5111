#include "seq2seq/search/lexicon.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {

absl::StatusOr<Lexicon> Lexicon::Load(const std::string& path) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<LineReader> reader, LineReader::Open(path));
  Lexicon lexicon;
  std::string line;
  while (true) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const bool more, reader->Next(line));
    if (!more) return lexicon;
    const size_t tab = line.find('\t');
    if (tab == std::string::npos || tab == 0) {
      return absl::InvalidArgumentError(absl::StrCat(path, ":", reader->line_number(),
                                                     ": expected word<TAB>translation, found '",
                                                     line.substr(0, 100), "'"));
    }
    const size_t end = line.find('\t', tab + 1);
    lexicon.translations_.try_emplace(line.substr(0, tab), line.substr(tab + 1, end - tab - 1));
  }
}

}  // namespace seq2seq
