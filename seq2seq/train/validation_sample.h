// Outputs for the same few lines of the validation data at each validation.
#ifndef SEQ2SEQ_TRAIN_VALIDATION_SAMPLE_H_
#define SEQ2SEQ_TRAIN_VALIDATION_SAMPLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace seq2seq {

struct ValidationSample {
  std::string source;
  std::string reference;  // The first one.
  std::string output;

  // Attention weights [target, source], and the subwords of both sides. Empty without attention.
  std::vector<std::vector<float>> attention;
  std::vector<std::string> source_subwords;
  std::vector<std::string> target_subwords;
};

// The line of log.jsonl: {"event": "samples", "update": 500, "lines": [{"source": …, "reference":
// …, "output": …, "attention": {"source": [], "target": [], "weights": [[]]}}]}. Weights have three
// digits.
std::string SamplesLine(int64_t update, absl::Span<const ValidationSample> samples);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_VALIDATION_SAMPLE_H_
