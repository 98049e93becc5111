// Model folders derived from other models.
#ifndef SEQ2SEQ_TOOLS_MODEL_FOLDER_H_
#define SEQ2SEQ_TOOLS_MODEL_FOLDER_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "seq2seq/inference/run_folder.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {

// Writes a run folder for decoding to `path`, which must not exist: configuration, tokenizers and
// image network of `from`, and `weights` as the best checkpoint. `add` writes further files into
// it. The folder appears when it is complete.
absl::Status WriteModelFolder(const std::string& path, const StoredModel& from,
                              const ArrayMap& weights,
                              absl::FunctionRef<absl::Status(const RunFolder& folder)> add);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_MODEL_FOLDER_H_
