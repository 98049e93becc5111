// Error rates: word, phoneme and character error rate by Levenshtein distance (Levenshtein 1966,
// "Binary codes capable of correcting deletions, insertions, and reversals").
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(ErrorRate rate, CorpusErrorRate(hypotheses, {references}));
//   std::cout << rate.Rate() << "% of words, " << rate.LineRate() << "% of lines\n";
//
// Mind the names. For sentences, the token error rate is WER and the character error rate CER. In
// grapheme-to-phoneme conversion, a line is a word and a token is a phoneme: the token error rate
// is PER there, and WER is the share of words with any error, the line error rate.
#ifndef SEQ2SEQ_METRICS_ERROR_RATE_H_
#define SEQ2SEQ_METRICS_ERROR_RATE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "seq2seq/metrics/corpus_metric.h"

namespace seq2seq {

// Unit of insertions, deletions and substitutions.
enum class ErrorUnit {
  kToken,      // Separated by spaces: words or phonemes.
  kCharacter,  // Code points. A run of spaces is one character, and none at the ends of a line.
};

struct ErrorRateOptions {
  ErrorUnit unit = ErrorUnit::kToken;
  bool lowercase = false;  // Set it where the references have no case.
};

struct ErrorRate {
  int64_t errors = 0;            // Minimum number of insertions, deletions and substitutions.
  int64_t reference_length = 0;  // In units.
  int64_t wrong_lines = 0;       // Those with an error.
  int64_t lines = 0;

  int64_t num_references = 0;  // Per line; 0 where that differs.
  ErrorRateOptions options;

  // Errors in percent of the reference's units; more than 100 is possible. References without any
  // unit count as one.
  double Rate() const;

  // Lines that equal no reference, apart from spaces, in percent of all; 0 without lines.
  double LineRate() const;

  // Lines without error, in percent of all; 0 without lines.
  double Accuracy() const;

  // To publish with the rates: "nrefs:1|case:mixed|unit:token|version:seq2seq-0.1.0".
  std::string Signature() const;
};

// Scores hypotheses against references[reference][line]. Of several references the one with the
// fewest errors counts; of equals, the longest. An empty line stands for a missing reference if the
// line has another one. Returns InvalidArgument without references, and where the counts differ.
// For each pair of lines the time is the product of their lengths. Thread-safe.
absl::StatusOr<ErrorRate> CorpusErrorRate(absl::Span<const std::string> hypotheses,
                                          const std::vector<std::vector<std::string>>& references,
                                          const ErrorRateOptions& options = {});

// Which rate of ErrorRate a metric is: Rate() in percent of tokens or characters, or Accuracy().
enum class ErrorScore { kRate, kAccuracy };

// The same as a metric, called `name`; of a row, the counts are the fields of ErrorRate in order.
std::unique_ptr<const CorpusMetric> MakeErrorRate(std::string name, ErrorScore score,
                                                  const ErrorRateOptions& options = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_ERROR_RATE_H_
