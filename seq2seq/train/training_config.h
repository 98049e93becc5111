// Configuration of a training run, as config.yaml holds it.
#ifndef SEQ2SEQ_TRAIN_TRAINING_CONFIG_H_
#define SEQ2SEQ_TRAIN_TRAINING_CONFIG_H_

#include "absl/strings/string_view.h"

#include "seq2seq/data/data_options.h"
#include "seq2seq/model/model.h"
#include "seq2seq/train/run_options.h"
#include "seq2seq/train/train_options.h"

namespace seq2seq {

// Each section is named after the part of the library that reads it; those of the run stand in the
// section `train` too, before `precision`, where stored configurations have them.
struct TrainingConfig {
  DataOptions data;
  ModelOptions model;
  TrainOptions train;
  RunOptions run;

  template <typename V>
  void Visit(V&& visit) {
    visit("data", data);
    visit("model", model);
    TrainSection section = {train, run};
    visit("train", section);
  }

 private:
  // Both structs as one section.
  struct TrainSection {
    TrainOptions& train;
    RunOptions& run;

    template <typename V>
    void Visit(V&& visit) {
      train.Visit([&](absl::string_view name, auto& field, auto... texts) {
        if (name == "precision") run.Visit(visit);
        visit(name, field, texts...);
      });
    }
  };
};

// The configuration that is trained without further settings, by its objective and the kinds of its
// networks: for Transformers another than TrainingConfig(), which is for recurrent ones, and for
// masked one with a head in the place of the decoder.
TrainingConfig DefaultConfig(Objective objective, EncoderKind encoder, DecoderKind decoder);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_TRAINING_CONFIG_H_
