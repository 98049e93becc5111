// Reader of the lines of a parallel corpus.
#ifndef SEQ2SEQ_DATA_PAIR_READER_H_
#define SEQ2SEQ_DATA_PAIR_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "seq2seq/base/line_reader.h"

namespace seq2seq {

// Reads pairs of lines from two files or from a table, or targets alone from one file. Not
// thread-safe.
class PairReader {
 public:
  // `files` are {source, target}, or {table} with source<TAB>target on each line; without sources
  // {text}. InvalidArgument for other numbers of files.
  static absl::StatusOr<PairReader> Open(const std::vector<std::string>& files, bool has_sources,
                                         int64_t max_line_bytes);

  // Puts the next pair into `source` and `target` and returns true, or returns false at the end.
  // Without sources `source` stays as it is. InvalidArgument, naming file and line, if a line of a
  // table has no tab, or if the files differ in their number of lines; and the errors of
  // LineReader.
  absl::StatusOr<bool> Next(std::string& source, std::string& target);

 private:
  PairReader() = default;
  absl::Status UnequalLengths();

  std::vector<std::unique_ptr<LineReader>> readers_;
  bool has_sources_ = true;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_PAIR_READER_H_
