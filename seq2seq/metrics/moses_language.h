// Languages of the Moses tokenizer.
#ifndef SEQ2SEQ_METRICS_MOSES_LANGUAGE_H_
#define SEQ2SEQ_METRICS_MOSES_LANGUAGE_H_

#include <string>
#include <vector>

namespace seq2seq {

enum class MosesLanguage { kCzech, kGerman, kEnglish, kFrench };

// The names in signatures and on the command line.
inline std::vector<std::string> EnumTexts(MosesLanguage) { return {"cs", "de", "en", "fr"}; }

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_MOSES_LANGUAGE_H_
