// Options of a training run: initial weights, teachers, threads and device.
#ifndef SEQ2SEQ_TRAIN_RUN_OPTIONS_H_
#define SEQ2SEQ_TRAIN_RUN_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace seq2seq {

// What a run sets up before its trainer starts. The keys belong to the section `train`.
struct RunOptions {
  std::string init_from;
  std::string source_vectors;
  std::string target_vectors;
  std::vector<std::string> teacher;
  double teacher_weight = 0.5;
  double teacher_temperature = 1;
  int64_t threads = 0;
  std::string device = "auto";

  template <typename V>
  void Visit(V&& visit) {
    visit("init_from", init_from,
          "A run folder or checkpoint whose weights are the initial ones, where name and shape "
          "match; embeddings are matched by subword. For fine-tuning, and after pretraining (see "
          "train.objective).");
    visit("source_vectors", source_vectors,
          "A text file of word vectors, in the format of word2vec and GloVe, to initialise the "
          "source embedding; of model.encoder.embedding values each.");
    visit("target_vectors", target_vectors, "The same for the target embedding.");
    visit("teacher", teacher,
          "Run folders or checkpoints of trained models, several being an ensemble, whose "
          "probabilities this model learns beside the references (token-level knowledge "
          "distillation): [work/teacher]. They have the same tokenizers, and each costs a forward "
          "pass per batch.");
    visit("teacher_weight", teacher_weight,
          "Share of the teachers in the objective, 0 to 1; the references have the rest.");
    visit("teacher_temperature", teacher_temperature,
          "Divides the logits of teachers and student, more than 0; with 2, less probable tokens "
          "count for more (Hinton et al. 2015).");
    visit("threads", threads, "CPU threads; 0 is one per core.");
    visit("device", device, "cpu, cuda, cuda:1, …; auto is cuda if LibTorch has it, else cpu.");
  }
};

// InvalidArgument, naming the key and its value, if an option is out of range.
absl::Status Validate(const RunOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_RUN_OPTIONS_H_
