// Lexicon of words and their translations, for words that a model does not know.
#ifndef SEQ2SEQ_SEARCH_LEXICON_H_
#define SEQ2SEQ_SEARCH_LEXICON_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

namespace seq2seq {

// A value. Thread-safe.
class Lexicon {
 public:
  // Reads lines of word<TAB>translation, with more fields behind a further tab, as `seq2seq align
  // --lexicon` writes them; of several for a word, the first counts. InvalidArgument, naming file
  // and line, for a line without a tab.
  static absl::StatusOr<Lexicon> Load(const std::string& path);

  // The translation of a word; the word itself if it is not in the lexicon.
  const std::string& Translate(const std::string& word) const {
    const auto found = translations_.find(word);
    return found == translations_.end() ? word : found->second;
  }

 private:
  absl::flat_hash_map<std::string, std::string> translations_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_LEXICON_H_
