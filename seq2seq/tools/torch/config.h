// Configuration of `seq2seq train`, the file config.yaml.
#ifndef SEQ2SEQ_TOOLS_TORCH_CONFIG_H_
#define SEQ2SEQ_TOOLS_TORCH_CONFIG_H_

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

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_TORCH_CONFIG_H_
