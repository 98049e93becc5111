// Command-line flags of the subcommands that apply a trained model.
#ifndef SEQ2SEQ_TOOLS_MODEL_FLAGS_H_
#define SEQ2SEQ_TOOLS_MODEL_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "seq2seq/base/line_reader.h"
#include "seq2seq/search/translator.h"

namespace CLI {
class App;
}  // namespace CLI

namespace seq2seq {

// Flags common to these subcommands.
struct ModelFlags {
  std::vector<std::string> models;
  std::string device = "auto";
  std::optional<PrecisionChoice> precision = std::nullopt;
  EnsembleMean ensemble = EnsembleMean::kProbability;
  std::vector<double> model_weights;
  bool no_shortlist = false;
  std::string language_model;
  std::string lexicon;
  bool allow_scripts = false;
  int64_t threads = 0;
  int64_t batch_size = 64;
  int64_t batch_tokens = 8192;
  int64_t batch_scores = 64'000'000;
  int64_t memory = 0;
  int64_t max_line_length = 1000;
  int64_t max_line_bytes = kMaxLineBytes;
  int64_t max_pixels = kMaxPixels;
  SearchLimits limits;  // Of subcommands that search; those add the flags.
};

// Adds the flags to `command`; `flags` must live until the command line is parsed.
void AddModelFlags(CLI::App& command, ModelFlags& flags);

// Sets up threads and device, and loads the models. Without LibTorch, hands over if they need it:
// nothing may have been read from standard input by then.
absl::StatusOr<Translator> LoadTranslator(const ModelFlags& flags);

// The settings other than search options that a translation depends on, as lines "key: value": the
// flags, and fingerprints of the models.
absl::StatusOr<std::string> ModelSettings(const ModelFlags& flags);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_MODEL_FLAGS_H_
