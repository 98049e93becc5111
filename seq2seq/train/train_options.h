// What a training can be told.
#ifndef SEQ2SEQ_TRAIN_TRAIN_OPTIONS_H_
#define SEQ2SEQ_TRAIN_TRAIN_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "seq2seq/model/compute.h"
#include "seq2seq/train/optimizer.h"
#include "seq2seq/train/schedule.h"

namespace seq2seq {

enum class Metric { kLoss, kPerplexity, kBleu, kChrf, kAccuracy };

inline std::vector<std::string> EnumTexts(Metric) {
  return {"loss", "perplexity", "bleu", "chrf", "accuracy"};
}

// How a pretrained network is learnt on.
struct FineTuneOptions {
  int64_t from = 0;
  double rate = 0.1;

  template <typename V>
  void Visit(V&& visit) {
    visit("from", from, "The update until which model.image.network stays as it is.");
    visit("rate", rate, "Share of the learning rate that it gets from then on.");
  }
};

struct TrainOptions {
  std::string run;
  int64_t seed = 1;
  std::string init_from;
  std::string source_vectors;
  std::string target_vectors;
  int64_t threads = 0;
  std::string device = "auto";
  PrecisionChoice precision = PrecisionChoice::kAuto;
  int64_t max_updates = 0;
  int64_t max_epochs = 0;
  double max_minutes = 0;
  int64_t accumulate = 1;
  int64_t memory = 0;
  double label_smoothing = 0.1;
  OptimizerOptions optimizer;
  RateScheduleOptions schedule;
  ForcingScheduleOptions teacher_forcing;
  FineTuneOptions fine_tune;
  std::vector<std::string> freeze;
  double average = 0;
  int64_t max_skipped = 5;
  int64_t recoveries = 0;
  double recovery_rate = 0.5;
  bool log_norms = false;
  int64_t report_every = 50;
  int64_t validate_every = 500;
  int64_t save_every = 500;
  int64_t max_failed_saves = 5;
  Metric metric = Metric::kBleu;
  int64_t patience = 10;
  int64_t keep_last = 1;

  template <typename V>
  void Visit(V&& visit) {
    visit("run", run,
          "The folder of the run: configuration, tokenizers, weights, log. Training goes on there "
          "if it has begun.");
    visit("seed", seed,
          "Decides the first weights, the order of the data, dropout and every other random draw.");
    visit("init_from", init_from,
          "A run, or one of its steps, whose weights are the first ones here, as far as they fit; "
          "embeddings piece by piece. For fine-tuning.");
    visit("source_vectors", source_vectors,
          "A text file of word vectors, as word2vec and GloVe write them, for the embedding of the "
          "source; of model.encoder.embedding numbers each.");
    visit("target_vectors", target_vectors, "The same for the target.");
    visit("threads", threads, "Threads to compute with; 0 is one a core.");
    visit("device", device, "cpu, cuda, cuda:1, … ; auto is cuda where LibTorch has it, else cpu.");
    visit("precision", precision,
          "Of matrix products in training. auto is bf16 where the processor has it, which is about "
          "twice as fast, else fp32, and binds a run from its first update on; weights, sums, "
          "everything else and what runs step by step on the CPU stay fp32. On CUDA auto is fp32, "
          "and bf16 is autocast. int8 is for decoding alone.");
    visit("max_updates", max_updates, "Stop after this many updates; 0 is no bound.");
    visit("max_epochs", max_epochs, "Stop after this many passes over the data; 0 is no bound.");
    visit("max_minutes", max_minutes,
          "Stop after this time of training, over all runs of the program; 0 is no bound.");
    visit("accumulate", accumulate,
          "Batches that add up to one update. For large batches in little memory.");
    visit("memory", memory,
          "Bytes that training may take, of the CUDA device where there is one, else of the whole "
          "program. A batch that needs more is computed in parts, which costs speed alone; 0 is "
          "nine tenths of what the control group, or the machine, has, and on CUDA no bound.");
    visit("label_smoothing", label_smoothing,
          "Probability spread over the whole vocabulary; 0 to 0.2.");
    visit("optimizer", optimizer);
    visit("schedule", schedule);
    visit("teacher_forcing", teacher_forcing);
    visit("fine_tune", fine_tune);
    visit("freeze", freeze,
          "Modules, or parameters, that are not learnt, by the names that inspect shows: [encoder, "
          "decoder.embedding].");
    visit("average", average,
          "What is validated, saved and decoded with is a moving average of the weights, of which "
          "an update keeps this share: 0.999 is usual; 0 is the weights themselves.");
    visit("max_skipped", max_skipped,
          "Updates whose loss or gradient is infinite or NaN are left out; after more than so many "
          "of them in a row training ends, or goes back.");
    visit("recoveries", recoveries,
          "How often training that would end by max_skipped goes back to the last saved step "
          "instead and on with a lower learning rate. 0 ends it; 2 or 3 for runs that nobody "
          "watches.");
    visit("recovery_rate", recovery_rate,
          "The share of the learning rate that each recovery leaves, to the end of the run.");
    visit("log_norms", log_norms,
          "Reports in log.jsonl also tell the norms of gradient and weights of each module, and of "
          "each cell the share of gates below 0.05 or above 0.95, by one more pass, step by step.");
    visit("report_every", report_every, "Updates between lines of progress.");
    visit("validate_every", validate_every,
          "Updates between validations; each saves, and may become the best.");
    visit("save_every", save_every,
          "Updates between saves: what a crash can cost. 0 saves at validations only.");
    visit("max_failed_saves", max_failed_saves,
          "Saves in a row that may fail because the disk is full or faulty, while training goes on "
          "with a warning; after more of them, and if the last save fails, it ends with an error.");
    visit("metric", metric,
          "What the best weights are chosen by, and the plateau schedule goes by, of the metrics "
          "that every validation takes. accuracy, the share of lines that are just the reference, "
          "is for labels and pronunciations.");
    visit("patience", patience,
          "Stop after this many validations without a better one; 0 is no bound.");
    visit("keep_last", keep_last, "Steps kept besides the best.");
  }
};

// InvalidArgument, naming the key and its value, if `options` can not be trained with.
absl::Status Validate(const TrainOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_TRAIN_OPTIONS_H_
