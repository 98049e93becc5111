// Folders of models that are made of others.
#ifndef SEQ2SEQ_TOOLS_MODEL_FOLDER_H_
#define SEQ2SEQ_TOOLS_MODEL_FOLDER_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "seq2seq/model/run_folder.h"
#include "seq2seq/model/weights.h"

namespace seq2seq {

// Writes a run folder `path`, which must not exist, to decode with: configuration and tokenizers of
// `from`, and `weights` as its best step. `add` puts further files into it. It is complete when it
// appears.
absl::Status WriteModelFolder(const std::string& path, const StoredModel& from,
                              const TensorMap& weights,
                              absl::FunctionRef<absl::Status(const RunFolder& folder)> add);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_MODEL_FOLDER_H_
