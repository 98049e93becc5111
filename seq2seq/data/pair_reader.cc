#include "seq2seq/data/pair_reader.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "seq2seq/base/status_macros.h"

namespace seq2seq {

absl::StatusOr<PairReader> PairReader::Open(const std::vector<std::string>& files, bool has_sources,
                                            int64_t max_line_bytes) {
  if (files.empty() || files.size() > (has_sources ? 2 : 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat(has_sources ? "a corpus consists of [source, target] or [table]"
                                 : "a corpus without sources consists of [text]",
                     ", found [", absl::StrJoin(files, ", "), "]"));
  }
  PairReader reader;
  reader.has_sources_ = has_sources;
  for (const std::string& path : files) {
    SEQ2SEQ_ASSIGN_OR_RETURN(reader.readers_.emplace_back(),
                             LineReader::Open(path, static_cast<size_t>(max_line_bytes)));
  }
  return reader;
}

absl::StatusOr<bool> PairReader::Next(std::string& source, std::string& target) {
  LineReader& first = *readers_.front();
  if (!has_sources_) return first.Next(target);
  SEQ2SEQ_ASSIGN_OR_RETURN(bool more, first.Next(source));
  if (readers_.size() == 1) {
    if (!more) return false;
    const size_t tab = source.find('\t');
    if (tab == std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat(first.path(), ":", first.line_number(), ": expected source<TAB>target"));
    }
    target = source.substr(tab + 1);
    source.resize(tab);
    return true;
  }
  LineReader& second = *readers_.back();
  SEQ2SEQ_ASSIGN_OR_RETURN(bool second_more, second.Next(target));
  if (more != second_more) return UnequalLengths();
  return more;
}

absl::Status PairReader::UnequalLengths() {
  std::string rest;
  for (const auto& reader : readers_) {
    while (true) {
      SEQ2SEQ_ASSIGN_OR_RETURN(bool more, reader->Next(rest));
      if (!more) break;
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      readers_[0]->path(), " has ", readers_[0]->line_number(), " lines, ", readers_[1]->path(),
      " has ", readers_[1]->line_number(), "; they must have the same number of lines"));
}

}  // namespace seq2seq
