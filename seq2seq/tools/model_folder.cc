#include "seq2seq/tools/model_folder.h"

#include <filesystem>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/weights/safetensors.h"

namespace seq2seq {

absl::Status WriteModelFolder(const std::string& path, const StoredModel& from,
                              const ArrayMap& weights,
                              absl::FunctionRef<absl::Status(const RunFolder& folder)> add) {
  if (std::filesystem::exists(path)) {
    return absl::AlreadyExistsError(
        absl::StrCat("--output: ", path, " exists already; name a new folder"));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFolder folder, AtomicFolder::Create(path));
  const RunFolder to = {folder.temporary()};
  SEQ2SEQ_RETURN_IF_ERROR(add(to));
  for (std::string (RunFolder::*file)() const :
       {&RunFolder::Config, &RunFolder::SourceTokenizer, &RunFolder::TargetTokenizer,
        &RunFolder::ImageNetwork}) {
    const std::string source = (from.run.*file)();
    if (!std::filesystem::exists(source)) continue;
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::string contents, ReadFile(source));
    SEQ2SEQ_RETURN_IF_ERROR(WriteFile((to.*file)(), contents));
  }
  const std::string step = std::filesystem::canonical(from.step).filename();
  SEQ2SEQ_RETURN_IF_ERROR(CreateFolders(to.path + "/" + step));
  SEQ2SEQ_RETURN_IF_ERROR(WriteArrays(to.path + "/" + step + kWeightsFile, weights));
  SEQ2SEQ_RETURN_IF_ERROR(ReplaceLink(step, to.Best()));
  return folder.Commit();
}

}  // namespace seq2seq
