// Durations of training, in updates or epochs.
#ifndef SEQ2SEQ_TRAIN_DURATION_H_
#define SEQ2SEQ_TRAIN_DURATION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace seq2seq {

// Progress of training at the end of an update.
struct TrainingTime {
  int64_t update = 0;  // Counted from 1.
  double epoch = 0;    // Epochs so far, with a fraction.
};

// A number of updates, written 16000u or 16000, or of epochs, written 2.5e.
struct Duration {
  static constexpr char kWanted[] = "updates as 16000u, or epochs as 10e";

  double count = 0;
  bool epochs = false;

  Duration() = default;
  Duration(int64_t updates) : count(static_cast<double>(updates)) {}

  std::string Text() const {
    const auto whole = static_cast<int64_t>(count);
    const bool is_whole = static_cast<double>(whole) == count;
    return absl::StrCat(is_whole ? absl::StrCat(whole) : absl::StrCat(count), epochs ? "e" : "u");
  }

  static std::optional<Duration> FromText(std::string text) {
    Duration duration;
    duration.epochs = !text.empty() && text.back() == 'e';
    if (!text.empty() && (text.back() == 'e' || text.back() == 'u')) text.pop_back();
    if (!absl::SimpleAtod(text, &duration.count)) return std::nullopt;
    if (!(duration.count >= 0 && duration.count <= 1e12)) return std::nullopt;
    return duration;
  }

  // How many times the duration has elapsed at `now`, as a fraction. 0 counts as one update.
  double Passed(const TrainingTime& now) const {
    if (epochs) return count > 0 ? now.epoch / count : static_cast<double>(now.update);
    return static_cast<double>(now.update) / (count > 0 ? count : 1);
  }
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_DURATION_H_
