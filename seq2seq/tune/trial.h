// Trials of a sweep: a point of the search space, and what training with it gave.
#ifndef SEQ2SEQ_TUNE_TRIAL_H_
#define SEQ2SEQ_TUNE_TRIAL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "seq2seq/tune/search_space.h"

namespace seq2seq {

// What a trial had reached at the end of a rung.
struct TrialResult {
  int64_t updates = 0;  // Of training.
  double value = 0;     // The best of the sweep's metric so far.
  double seconds = 0;   // Of the sweep, when it was known.
};

struct Trial {
  int64_t number = 1;  // From 1, in the order in which they were begun.
  Point point;
  int64_t rung = 0;                  // That it is to reach, from 0.
  std::vector<TrialResult> results;  // Of the rungs that it has reached, [rung].
  bool complete = false;  // Whether training ended by a bound of its own: patience, time.
  std::string error;      // Why it failed; empty if it did not.
  bool held = false;      // Whether a process trains it now.

  bool failed() const { return !error.empty(); }
  // Whether training towards `rung` was begun, and has not ended.
  bool IsOpen() const { return !failed() && results.size() <= static_cast<size_t>(rung); }
};

// A trial as JSON, and back; without `held`. DataLoss if `text` is not a trial of `space`.
std::string ToText(const Trial& trial, const SearchSpace& space);
absl::StatusOr<Trial> ParseTrial(absl::string_view text, const SearchSpace& space);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TUNE_TRIAL_H_
