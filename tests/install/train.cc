#include <iostream>

#include "seq2seq/seq2seq.h"

int main(int argc, char** argv) {
  seq2seq::TrainingConfig config;
  config.data.train = {"train.en", "train.de"};
  config.data.valid = {"val.en", "val.de"};
  config.data.source_tokenizer = config.data.target_tokenizer = "joint.model";
  config.train.run = "runs/mine";
  config.train.metric = {"loss"};
  for (int i = 1; i < argc; ++i) {  // Such as train.max_minutes=30.
    const auto set = seq2seq::SetOption(argv[i], seq2seq::ListOptions(config));
    if (!set.ok()) return std::cerr << set << "\n", 1;
  }
  auto run = seq2seq::TrainingRun::Create(config, {});
  if (!run.ok()) return std::cerr << run.status() << "\n", 1;
  auto reason = (*run)->Run();
  if (!reason.ok()) return std::cerr << reason.status() << "\n", 1;
  std::cout << seq2seq::Text(*reason) << "\n";
}
