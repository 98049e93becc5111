// An output file that keeps what is done when the program is stopped.
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

// What becomes of the lines of an input. It grows in PATH.part and is renamed to PATH when it is
// complete; without Commit, PATH.part stays as far as it is whole.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(PartFile file, PartFile::Begin("out.txt", "beam: 5\n"));
//   SEQ2SEQ_RETURN_IF_ERROR(file.Append("a line of the input", "what became of it\n"));
//   SEQ2SEQ_RETURN_IF_ERROR(file.Commit());
//
// Beside it PATH.part.journal holds the settings, and for each line of the input a hash, and the
// size and a hash of its output. So however the program ended, by SIGKILL, a full disk or a power
// cut, Resume finds what is whole, and that it belongs to the same input. Each line is in the
// hands of the system when Append returns. Not thread-safe.
class PartFile {
 public:
  // Begins anew, over what is there. FailedPrecondition if another process writes it.
  static absl::StatusOr<PartFile> Begin(const std::string& path, const std::string& settings);

  // Goes on with PATH.part, or begins if there is none. Of the lines that it has, as many are kept
  // as `keep` makes of their number; these are read from `input`. InvalidArgument, naming the line,
  // if `settings` or `input` are not those that it was begun with.
  static absl::StatusOr<PartFile> Resume(const std::string& path, const std::string& settings,
                                         LineReader& input,
                                         absl::FunctionRef<int64_t(int64_t)> keep);

  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&& other) = delete;
  // Syncs what is whole. Nothing stays if that is no line.
  ~PartFile();

  // Adds the output of the next line of the input.
  absl::Status Append(absl::string_view line, absl::string_view output);

  // Adds `ending`, syncs, and renames.
  absl::Status Commit(absl::string_view ending = "");

  // The file that grows.
  std::string part() const { return path_ + ".part"; }
  // Lines of the input whose output is in it.
  int64_t lines() const { return lines_; }

 private:
  explicit PartFile(std::string path) : path_(std::move(path)) {}

  // Opens both files, and keeps other processes out.
  static absl::StatusOr<PartFile> Open(const std::string& path);
  absl::Status Start(const std::string& settings);
  absl::Status GoOn(const std::string& settings, LineReader& input,
                    absl::FunctionRef<int64_t(int64_t)> keep);
  std::string journal() const { return part() + ".journal"; }
  // Ends both files behind what is whole.
  absl::Status Cut();

  std::string path_;
  int part_ = -1;  // Descriptors.
  int journal_ = -1;
  bool begun_ = false;  // Whether what is in the files belongs to this run.
  int64_t lines_ = 0;
  int64_t part_size_ = 0;  // Bytes that are whole.
  int64_t journal_size_ = 0;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_PART_FILE_H_
