// Segments, the units of a corpus metric. A segment is one hypothesis with its references; a metric
// aligns the files, tokenises lines, counts, and signs its score so that others can reproduce it.
#ifndef SEQ2SEQ_METRICS_SEGMENTS_H_
#define SEQ2SEQ_METRICS_SEGMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "seq2seq/metrics/moses_language.h"

namespace seq2seq {

struct Segment {
  absl::string_view hypothesis;
  std::vector<absl::string_view> references;  // At least one.
};

struct Segments {
  std::vector<Segment> segments;
  int64_t num_references = 0;  // Per segment; 0 where that differs between segments.
};

// Turns hypotheses and references[reference][sentence] into segments, which point into the
// arguments.
//
// As in sacreBLEU, an empty line stands for a missing reference if the sentence has another one. If
// not, the reference is the empty line. Returns InvalidArgument without references, and where the
// counts differ.
absl::StatusOr<Segments> AlignSegments(absl::Span<const std::string> hypotheses,
                                       const std::vector<std::vector<std::string>>& references);

// The tokenizers of sacreBLEU, and of papers that score tokenised text.
enum class Tokenization {
  k13a,    // mteval-v13a, the one of nearly every published score. Handles ASCII punctuation only.
  kNone,   // Splits at spaces: for text that is tokenized already.
  kIntl,   // mteval-v14: splits at the punctuation and the symbols of all scripts.
  kChar,   // Every character but spaces: for languages written without spaces.
  kMoses,  // Moses' tokenizer.perl for a language (moses_tokenizer.h).
  kMosesNorm,  // The same after normalize-punctuation.perl (punctuation.h), as Multi30k's files.
  kSubwords,   // Splits at spaces, as kNone, text that is split into a tokenizer's subwords before:
               // by MetricOptions::subwords (Goyal et al. 2022, spBLEU).
};

// The names in signatures and on the command line.
inline std::vector<std::string> EnumTexts(Tokenization) {
  return {"13a", "none", "intl", "char", "moses", "moses-norm", "subwords"};
}

// Tokenises a line, after conversion to lower case if `lowercase`; Moses' tokenizers convert
// tokens, since case decides whether a period ends a sentence, and only they depend on `language`.
// Linear in the line; bytes that are not UTF-8 are kept, each as a character of its own.
//
//   Tokenize("It's 3,000 km.", Tokenization::k13a, /*lowercase=*/true)  // it's 3,000 km .
std::vector<std::string> Tokenize(absl::string_view line, Tokenization tokenization,
                                  bool lowercase = false,
                                  MosesLanguage language = MosesLanguage::kEnglish);

// Returns a signature in the form of sacreBLEU. `details` is the part specific to the metric:
// "nrefs:1|case:mixed|<details>|version:seq2seq-0.1.0".
std::string FormatSignature(int64_t num_references, bool lowercase, absl::string_view details);

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_SEGMENTS_H_
