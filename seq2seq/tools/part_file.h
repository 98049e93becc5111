// Resumable output file with a journal of its lines.
#ifndef SEQ2SEQ_TOOLS_PART_FILE_H_
#define SEQ2SEQ_TOOLS_PART_FILE_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "seq2seq/base/line_reader.h"

namespace seq2seq {

// The output of the lines of an input. It is written to PATH.part, which is renamed to PATH when
// complete; without Commit, PATH.part is kept up to its last complete line.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(PartFile file, PartFile::Begin("out.txt", "beam: 5\n"));
//   SEQ2SEQ_RETURN_IF_ERROR(file.Append("a line of the input", "its output\n"));
//   SEQ2SEQ_RETURN_IF_ERROR(file.Commit());
//
// Beside it PATH.part.journal holds the settings, and for each line of the input a hash, and the
// size and a hash of its output. So however the program ended, by SIGKILL, a full disk or a power
// cut, Resume finds which lines are complete, and that they belong to the same input. Each line has
// been passed to the operating system when Append returns. Not thread-safe.
class PartFile {
 public:
  // Starts anew, overwriting partial output. FailedPrecondition if another process writes the file.
  static absl::StatusOr<PartFile> Begin(const std::string& path, const std::string& settings);

  // Continues PATH.part, or starts anew if there is none. `keep` maps the number of its complete
  // lines to the number to be kept; these are read from `input`. InvalidArgument, naming the line,
  // if `settings` or `input` differ from those that it was started with.
  static absl::StatusOr<PartFile> Resume(const std::string& path, const std::string& settings,
                                         LineReader& input,
                                         absl::FunctionRef<int64_t(int64_t)> keep);

  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&& other) = delete;
  // Syncs the complete lines; removes both files if there are none.
  ~PartFile();

  // Appends the output of the next line of the input.
  absl::Status Append(absl::string_view line, absl::string_view output);

  // Appends `ending`, syncs, and renames.
  absl::Status Commit(absl::string_view ending = "");

  // The file of partial output.
  std::string part() const { return path_ + ".part"; }
  // Lines of the input whose output is in it.
  int64_t lines() const { return lines_; }

 private:
  explicit PartFile(std::string path) : path_(std::move(path)) {}

  // Opens both files, and locks them against other processes.
  static absl::StatusOr<PartFile> Open(const std::string& path);
  absl::Status Start(const std::string& settings);
  absl::Status GoOn(const std::string& settings, LineReader& input,
                    absl::FunctionRef<int64_t(int64_t)> keep);
  std::string journal() const { return part() + ".journal"; }
  // Truncates both files after their last complete line.
  absl::Status Cut();

  std::string path_;
  int part_ = -1;  // Descriptors.
  int journal_ = -1;
  bool begun_ = false;  // Whether what is in the files belongs to this run.
  int64_t lines_ = 0;
  int64_t part_size_ = 0;  // Bytes of complete lines.
  int64_t journal_size_ = 0;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_PART_FILE_H_
