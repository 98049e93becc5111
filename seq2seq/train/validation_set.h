// Validation sets of a trainer.
#ifndef SEQ2SEQ_TRAIN_VALIDATION_SET_H_
#define SEQ2SEQ_TRAIN_VALIDATION_SET_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "seq2seq/base/fingerprint.h"
#include "seq2seq/data/corpus.h"

namespace seq2seq {

// The metrics of the first set have plain names, "loss"; those of another have its name in front,
// "news.loss".
struct ValidationSet {
  // A corpus is a set without a name. It must outlive the set.
  ValidationSet(const Corpus& corpus) : corpus(&corpus) {}  // NOLINT(google-explicit-constructor)
  ValidationSet(std::string name, const Corpus& corpus) : name(std::move(name)), corpus(&corpus) {}

  std::string name;
  const Corpus* corpus;
};

// At least one.
class ValidationSets {
 public:
  ValidationSets(const Corpus& corpus) : sets_{corpus} {}  // NOLINT(google-explicit-constructor)
  explicit ValidationSets(std::vector<ValidationSet> sets) : sets_(std::move(sets)) {}

  auto begin() const { return sets_.begin(); }
  auto end() const { return sets_.end(); }

  // What stands before the names of the metrics of a set: "" or "news.".
  std::string Prefix(const ValidationSet& set) const {
    return &set == sets_.data() ? "" : set.name + ".";
  }

  // Differs, up to chance, where the sets or their names do.
  uint64_t content() const {
    if (sets_.size() == 1) return sets_.front().corpus->content();
    Fingerprint content;
    for (const ValidationSet& set : sets_) {
      content.Add(set.name);
      content.AddValue(set.corpus->content());
    }
    return content.value();
  }

 private:
  std::vector<ValidationSet> sets_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_VALIDATION_SET_H_
