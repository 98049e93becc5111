// What the program needs LibTorch for, which only one of its two executables has.
#ifndef SEQ2SEQ_TOOLS_LIBTORCH_H_
#define SEQ2SEQ_TOOLS_LIBTORCH_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "seq2seq/inference/run_folder.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/shortlist.h"

namespace CLI {
class App;
}  // namespace CLI

namespace seq2seq {

struct LibTorch {
  // Adds flags and action to the subcommand `train`.
  void (*define_train)(CLI::App& train, absl::Status* status);

  // Learns a lexical shortlist from `corpus`, or from the training corpus if that is empty; `room`
  // is a folder for a temporary file.
  absl::StatusOr<Shortlist> (*learn_shortlist)(const StoredModel& stored,
                                               const std::vector<std::string>& corpus,
                                               const ShortlistSize& size, const std::string& room);

  // The table of layers of the model of a configuration, of files and settings.
  absl::StatusOr<std::string> (*summarize_config)(const std::vector<std::string>& files,
                                                  const std::vector<std::string>& settings);

  // The device that --device names, as cpu or cuda:0.
  absl::StatusOr<std::string> (*find_device)(const std::string& name);

  // LoadOptions::load_module.
  absl::StatusOr<std::shared_ptr<const ScoringModel>> (*load_module)(const StoredModel& stored,
                                                                     const std::string& device,
                                                                     Precision precision);

  // Sets the number of LibTorch's threads, unless `threads` is 0. Warns on stderr of a BLAS whose
  // own threads compete with them.
  void (*set_up_threads)(int threads);
};

// That of this executable: null in seq2seq, which hands over to seq2seq-torch instead, as
// hand_over.h describes.
extern const LibTorch* const kLibTorch;

// Bytes that this executable takes before it has read a model: libraries, tokenizers and lines that
// are read ahead. Measured, see "Memory" in bench/README.md.
extern const double kProgramBytes;

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_LIBTORCH_H_
