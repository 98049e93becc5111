// Languages of the Moses tokenizer.
#ifndef SEQ2SEQ_METRICS_MOSES_LANGUAGE_H_
#define SEQ2SEQ_METRICS_MOSES_LANGUAGE_H_

#include "absl/strings/string_view.h"

namespace seq2seq {

enum class MosesLanguage { kCzech, kGerman, kEnglish, kFrench };

// "cs", "de", "en", "fr": the names in signatures and on the command line.
inline absl::string_view MosesLanguageName(MosesLanguage language) {
  switch (language) {
    case MosesLanguage::kCzech:
      return "cs";
    case MosesLanguage::kGerman:
      return "de";
    case MosesLanguage::kEnglish:
      return "en";
    case MosesLanguage::kFrench:
      return "fr";
  }
  return "";
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_MOSES_LANGUAGE_H_
