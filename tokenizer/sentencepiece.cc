#include "tokenizer/sentencepiece.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"

namespace seq2seq {
namespace {

absl::StatusOr<const SentencePieceLibrary*> Open() {
  // The sanitizers of tests do not bear RTLD_DEEPBIND; without LibTorch in the program it is not
  // needed.
  int flags = RTLD_NOW | RTLD_LOCAL;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  flags |= RTLD_DEEPBIND;
#endif
  void* module = dlopen(SEQ2SEQ_SENTENCEPIECE_MODULE, flags);
  if (module == nullptr)
    return absl::NotFoundError(absl::StrCat("cannot open SentencePiece: ", dlerror()));
  const auto get_library =
      reinterpret_cast<decltype(&seq2seq_sentencepiece)>(dlsym(module, "seq2seq_sentencepiece"));
  if (get_library == nullptr)
    return absl::NotFoundError(absl::StrCat("not the module of this version: ", dlerror()));
  return get_library();
}

}  // namespace

absl::StatusOr<const SentencePieceLibrary*> OpenSentencePiece() {
  static const auto library = Open();
  return library;
}

}  // namespace seq2seq
