// A run over random sentences to be copied, for tests of training.
#ifndef TESTS_TRAIN_COPY_CONFIG_H_
#define TESTS_TRAIN_COPY_CONFIG_H_

#include <string>

#include "seq2seq/train/training_config.h"
#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_model.h"
#include "tests/train/lines.h"

namespace seq2seq {

// A tiny model in fp32 on the CPU, in the run folder `run` of `folder`, where text and tokenizer
// are written.
inline TrainingConfig CopyConfig(const TemporaryFolder& folder, const std::string& run) {
  const std::string text = folder.Write("text", Lines(40, 2));
  const std::string model =
      folder.Write("words.model", Learn(Lines(50, 1), TokenizerKind::kWord)->model());
  TrainingConfig config;
  config.data.train = {text, text};
  config.data.valid = {text, text};
  config.data.source_tokenizer = config.data.target_tokenizer = model;
  config.data.batch.size = 8;
  config.model = TinyOptions();
  config.model.source_vocab = config.model.target_vocab = 0;
  config.train.run = folder / run;
  config.train.precision = PrecisionChoice::kFp32;
  config.train.metric = {"loss"};
  config.train.schedule.learning_rate = 0.01;
  config.run.device = "cpu";
  return config;
}

}  // namespace seq2seq

#endif  // TESTS_TRAIN_COPY_CONFIG_H_
