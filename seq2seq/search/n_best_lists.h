// n-best lists with features, in the format of Moses.
#ifndef SEQ2SEQ_SEARCH_N_BEST_LISTS_H_
#define SEQ2SEQ_SEARCH_N_BEST_LISTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace seq2seq {

// One translation.
struct NBestEntry {
  std::string text;
  std::vector<double> features;  // Of NBestLists::names.
  double score = 0;              // By which the entries are ranked.
};

// The translations of one sentence.
struct NBestList {
  int64_t sentence = 0;
  std::vector<NBestEntry> entries;  // At least one.
};

struct NBestLists {
  std::vector<std::string> names;  // Of the features.
  std::vector<NBestList> lists;    // In the order of sentences.

  // Reads lines "3 ||| a dog runs ||| logprob= -2.1 length= 4 ||| -0.5", those of a sentence
  // together, as decode --format moses writes them. InvalidArgument, naming file and line, for
  // other lines, numbers beyond 1e9, other features than those of the first, and sentences that do
  // not ascend.
  static absl::StatusOr<NBestLists> Read(const std::string& path);

  // The same lines.
  std::string Text(const NBestList& list) const;

  // Adds a feature with a value for each entry, in their order. InvalidArgument if there is one of
  // this name.
  absl::Status AddFeature(const std::string& name, const std::vector<double>& values);

  // Sets the scores to the sums of features times `weights`, and sorts each list, best first; equal
  // ones keep their order.
  void Rank(const std::vector<double>& weights);

  // Entries of all lists.
  int64_t size() const;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_N_BEST_LISTS_H_
