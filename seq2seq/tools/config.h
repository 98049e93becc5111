// Configuration of a training run.
#ifndef SEQ2SEQ_TOOLS_CONFIG_H_
#define SEQ2SEQ_TOOLS_CONFIG_H_

#include "seq2seq/data/data_options.h"
#include "seq2seq/model/model.h"
#include "seq2seq/search/search_options.h"
#include "seq2seq/train/trainer.h"

namespace seq2seq {

// The file config.yaml. Each section belongs to the part of the library that it is named after;
// `validation` is the search with which training decodes the validation data.
struct Config {
  DataOptions data;
  ModelOptions model;
  TrainOptions train;
  SearchOptions validation;

  template <typename V>
  void Visit(V&& visit) {
    visit("data", data);
    visit("model", model);
    visit("train", train);
    visit("validation", validation);
  }
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_CONFIG_H_
