// Standard input as training text: its copy in a run folder.
#ifndef SEQ2SEQ_TRAIN_STANDARD_INPUT_H_
#define SEQ2SEQ_TRAIN_STANDARD_INPUT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "seq2seq/inference/run_folder.h"

namespace seq2seq {

// Where the copy is: cache/stdin.txt.
std::string StandardInputCopy(const RunFolder& run);

// `files`, as data.train names them, with the copy in the place of "-".
std::vector<std::string> ReplaceStandardInput(const RunFolder& run, std::vector<std::string> files);

// Copies standard input until its end, byte by byte, also where it is compressed; returns true. If
// there is a copy from an earlier start of the run, returns false and reads nothing. Logs which.
// InvalidArgument if it is empty; the errors of reading, and of AtomicFile, which leave nothing.
absl::StatusOr<bool> CopyStandardInput(const RunFolder& run);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_STANDARD_INPUT_H_
