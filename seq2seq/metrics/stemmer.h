// Stemming of words: "dogs" and "dog" have the same stem.
#ifndef SEQ2SEQ_METRICS_STEMMER_H_
#define SEQ2SEQ_METRICS_STEMMER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sb_stemmer;  // Snowball's.

namespace seq2seq {

// A stemmer of the Snowball project (Porter 2001, "Snowball: A language for stemming algorithms").
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(Stemmer stemmer, Stemmer::Create("english"));
//   stemmer.Stem("jumping");  // "jump"
//
// Not thread-safe: one for each thread.
class Stemmer {
 public:
  // `language` is Snowball's name or the ISO 639 code of a language, such as "german" or "de";
  // "porter" is the first English stemmer (Porter 1980), and "english" its successor. Returns
  // InvalidArgument, with all names, if it is none of these.
  static absl::StatusOr<Stemmer> Create(const std::string& language);

  // The stem of a lowercase UTF-8 word; linear in its length.
  std::string Stem(absl::string_view word) const;

 private:
  struct Deleter {
    void operator()(sb_stemmer* snowball) const;
  };

  explicit Stemmer(sb_stemmer* snowball) : snowball_(snowball) {}

  std::unique_ptr<sb_stemmer, Deleter> snowball_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_STEMMER_H_
