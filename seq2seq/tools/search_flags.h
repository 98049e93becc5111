// The flags by which subcommands apply a trained model.
#ifndef SEQ2SEQ_TOOLS_SEARCH_FLAGS_H_
#define SEQ2SEQ_TOOLS_SEARCH_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "seq2seq/search/beam.h"
#include "seq2seq/search/translator.h"

namespace CLI {
class App;
}  // namespace CLI

namespace seq2seq {

struct SearchFlags {
  std::vector<std::string> models;
  std::string normalization = "average";
  std::string device = "auto";
  int64_t threads = 0;
  int64_t batch_size = 64;
  int64_t max_line_length = 1000;
  BeamOptions beam;
};

// Adds what every use of a model needs; `flags` must live until the program is parsed.
void AddSearchFlags(CLI::App& command, SearchFlags& flags);

// Sets up threads and device, and loads the model. Fills in flags.beam.normalization.
absl::StatusOr<Translator> LoadTranslator(SearchFlags& flags);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_SEARCH_FLAGS_H_
