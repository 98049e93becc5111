// Progress of training: means over the updates since the last report.
#ifndef SEQ2SEQ_TRAIN_PROGRESS_H_
#define SEQ2SEQ_TRAIN_PROGRESS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "seq2seq/train/module_report.h"

namespace seq2seq {

// Progress of training since the last report. Loss, accuracy and norm are means over the updates
// that were not skipped, NaN if all were.
struct Progress {
  int64_t update = 0;
  double epoch = 0;       // Epochs so far, with a fraction.
  double loss = 0;        // Negative log-likelihood per target token, in nats.
  double perplexity = 0;  // exp(loss).
  std::optional<double> reward = std::nullopt;  // Mean of the outputs sampled by this process.
  double token_accuracy = 0;  // Share of target tokens with the highest score, 0 to 1.
  double gradient_norm = 0;   // With L2 penalties, after clip_value and before clip_norm.
  int64_t skipped = 0;        // Updates so far with a NaN or infinite loss or gradient.
  double learning_rate = 0;
  double teacher_forcing = 0;    // Probability of feeding the reference.
  double tokens_per_second = 0;  // Target tokens, with end of sentence, without padding.
  double waiting = 0;            // Share of the time spent waiting for data, 0 to 1.
  int64_t processes = 1;
  double exchanging = 0;  // Share of the time spent waiting for other processes, 0 to 1.
  double sent_bytes = 0;  // Sent by each process for an update.
  double seconds = 0;     // Of training, in all runs of the program together.
  double remaining = 0;   // Estimated seconds to the first bound; 0 without bounds.
};

// Sums over the updates since the last report.
struct ProgressSums {
  double nll = 0;
  double correct = 0;
  int64_t tokens = 0;
  double reward = 0;
  int64_t samples = 0;  // Outputs that were rewarded.
  int64_t updates = 0;
  double seconds = 0;
  double waiting = 0;     // Seconds.
  double exchanging = 0;  // Seconds.
  double sent_bytes = 0;
  double gradient_norm = 0;

  // The progress with these means; the rest is left at its defaults.
  Progress Means() const;
};

// The line of log.jsonl, JSON, where NaN is null; with "norms" of `modules`, unless there are none.
std::string LogLine(const Progress& progress, const std::map<std::string, ModuleReport>& modules);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_PROGRESS_H_
