// Configuration of `seq2seq train`, the file config.yaml.
#ifndef SEQ2SEQ_TOOLS_TORCH_CONFIG_H_
#define SEQ2SEQ_TOOLS_TORCH_CONFIG_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "seq2seq/search/search_options.h"
#include "seq2seq/train/training_config.h"

namespace seq2seq {

// The training run, and the search with which the validation data is decoded.
struct Config {
  TrainingConfig training;
  SearchOptions validation;

  template <typename V>
  void Visit(V&& visit) {
    training.Visit(visit);
    visit("validation", validation);
  }
};

// Reads configuration files, of which the last to set a key counts, and over them settings
// "key=value"; all other keys have the defaults of the objective and the kinds of networks.
absl::StatusOr<Config> ReadConfig(const std::vector<std::string>& files,
                                  const std::vector<std::string>& settings);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_TORCH_CONFIG_H_
