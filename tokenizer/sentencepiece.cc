#include "tokenizer/sentencepiece.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"

namespace seq2seq {
namespace {

#if SEQ2SEQ_SANITIZED
// The sanitizers refuse RTLD_DEEPBIND, because a library opened with it finds libc's malloc before
// theirs. This one does not: it is linked with their runtime (by GCC, and by Clang with
// -shared-libasan), which comes first in its search order. So libc's own dlopen is called, which
// theirs hides.
const auto OpenModule = reinterpret_cast<decltype(&dlopen)>(
    dlsym(dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD), "dlopen"));
#else
const auto OpenModule = dlopen;
#endif

absl::StatusOr<const SentencePieceLibrary*> Open() {
  void* module = OpenModule(SEQ2SEQ_SENTENCEPIECE_MODULE, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (module == nullptr)
    return absl::NotFoundError(absl::StrCat("cannot open SentencePiece: ", dlerror()));
  const auto get_library =
      reinterpret_cast<decltype(&seq2seq_sentencepiece)>(dlsym(module, "seq2seq_sentencepiece"));
  if (get_library == nullptr)
    return absl::NotFoundError(
        absl::StrCat("the SentencePiece module is of another version: ", dlerror()));
  return get_library();
}

}  // namespace

absl::StatusOr<const SentencePieceLibrary*> OpenSentencePiece() {
  static const auto library = Open();
  return library;
}

}  // namespace seq2seq
