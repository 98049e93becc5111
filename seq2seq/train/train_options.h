// Options of the trainer.
#ifndef SEQ2SEQ_TRAIN_TRAIN_OPTIONS_H_
#define SEQ2SEQ_TRAIN_TRAIN_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "seq2seq/data/noise.h"
#include "seq2seq/kernels/precision_choice.h"
#include "seq2seq/metrics/corpus_metric.h"
#include "seq2seq/train/optimizer.h"
#include "seq2seq/train/process_options.h"
#include "seq2seq/train/reward_options.h"
#include "seq2seq/train/schedule.h"

namespace seq2seq {

// What weights are rounded to while they are trained.
enum class WeightRounding { kNone, kInt8 };

inline std::vector<std::string> EnumTexts(WeightRounding) { return {"none", "int8"}; }

// Fine-tuning of a pretrained image network.
struct FineTuneOptions {
  int64_t from = 0;
  double rate = 0.1;

  template <typename V>
  void Visit(V&& visit) {
    visit("from", from, "Updates during which model.image.network stays frozen, 0 or more.");
    visit("rate", rate,
          "Share of the learning rate for the network after that; more than 0 and at most 1.");
  }
};

struct TrainOptions {
  std::string run;
  int64_t seed = 1;
  PrecisionChoice precision = PrecisionChoice::kAuto;
  Objective objective = Objective::kTranslation;
  NoiseOptions noise;
  int64_t max_updates = 0;
  int64_t max_epochs = 0;
  double max_minutes = 0;
  int64_t accumulate = 1;
  int64_t memory = 0;
  RewardOptions reward;
  double label_smoothing = 0.1;
  double guided_alignment = 0;
  int64_t sampled_softmax = 0;
  OptimizerOptions optimizer;
  RateScheduleOptions schedule;
  ForcingScheduleOptions teacher_forcing;
  FineTuneOptions fine_tune;
  std::vector<std::string> freeze;
  double average = 0;
  WeightRounding quantize = WeightRounding::kNone;
  int64_t max_skipped = 5;
  int64_t recoveries = 0;
  double recovery_rate = 0.5;
  bool log_norms = false;
  bool tensorboard = false;
  int64_t report_every = 50;
  int64_t validate_every = 500;
  int64_t save_every = 500;
  int64_t max_failed_saves = 5;
  std::vector<std::string> metric = {"bleu"};
  MetricOptions metric_options;
  std::string metric_command;
  int64_t patience = 10;
  int64_t samples = 12;
  int64_t keep_last = 1;
  ProcessOptions processes;

  template <typename V>
  void Visit(V&& visit) {
    visit("run", run,
          "The run folder: configuration, tokenizers, checkpoints, log. If it has a checkpoint, "
          "training resumes from it.");
    visit("seed", seed,
          "Random seed of the initial weights, the order of the data, dropout and all sampling.");
    visit("precision", precision,
          "Precision of matrix products in training. auto is bf16 where the processor has it, "
          "which is about twice as fast, else fp32; a run keeps what it started with. Weights, "
          "sums, everything else and, on the CPU, modules without kernels stay fp32. On CUDA auto "
          "is fp32, and bf16 is autocast. int8 is for decoding only.");
    visit(
        "objective", objective,
        "translation: the target of each source, of whatever kind. The others pretrain on plain "
        "text, data.train [text], with data.source_tokenizer alone, for another run that names "
        "this one in train.init_from. masked: an encoder learns to restore masked subwords; "
        "model.decoder.kind is then head, and other defaults are those of such a model. "
        "denoising: a whole model learns to restore a text that lacks spans of subwords, and "
        "whose sentences are shuffled. risk and self_critical are for a trained model, named in "
        "train.init_from, whose own outputs are sampled and rewarded by a metric, "
        "train.reward: risk lowers their expected risk (Shen et al. 2016), for translation; "
        "self_critical raises the probability of those that beat a baseline (Rennie et al. "
        "2017), for captions and error rates. Use a low learning rate; label smoothing and teacher "
        "forcing do not apply.");
    visit("noise", noise);
    visit("max_updates", max_updates, "Stop after this many updates; 0 is no bound.");
    visit("max_epochs", max_epochs, "Stop after this many epochs; 0 is no bound.");
    visit("max_minutes", max_minutes,
          "Stop after this many minutes of training, in all runs of the program together; 0 is no "
          "bound.");
    visit("accumulate", accumulate,
          "Batches whose gradients are accumulated for one update, 1 or more. For large batches in "
          "little memory.");
    visit("memory", memory,
          "Bytes that training may take: of the CUDA device if it uses one, else of the whole "
          "program. A batch that needs more is computed in parts, which costs only speed. 0 is "
          "nine tenths of the memory of the control group or the machine, and no bound on CUDA.");
    visit("reward", reward);
    visit("label_smoothing", label_smoothing,
          "Probability mass that label smoothing spreads over the vocabulary, 0 or more and less "
          "than 1; usually 0 to 0.2.");
    visit("guided_alignment", guided_alignment,
          "Weight of the cross-entropy of the attention weights with word alignments, which are "
          "learnt from the training data (see seq2seq align), 0 or more; 0.1 is usual, 0 is none. "
          "For small corpora, and for the word alignments of translations (Chen et al. 2016); "
          "Transformers need model.decoder.aligned_head.");
    visit("sampled_softmax", sampled_softmax,
          "Target subwords that the output layer is trained with in each batch, beside those of "
          "its references: a random sample that stands for the whole vocabulary (Jean et al. "
          "2015). 4,000 to 8,000 for vocabularies of 32,000 and more; 0 is all.");
    visit("optimizer", optimizer);
    visit("schedule", schedule);
    visit("teacher_forcing", teacher_forcing);
    visit("fine_tune", fine_tune);
    visit("freeze", freeze,
          "Modules or parameters that are not trained, by their names in seq2seq inspect: "
          "[encoder, decoder.embedding].");
    visit("average", average,
          "Decay of a moving average of the weights, which is then validated, saved and decoded "
          "with; 0.999 is usual, 0 is no average.");
    visit("quantize", quantize,
          "int8 trains and validates with weights that are rounded as export in int8 rounds them "
          "(straight-through gradients), so that they lose less by it; checkpoints keep the exact "
          "ones. For a last hour, or a run that goes on from another by train.init_from, where "
          "int8 costs quality.");
    visit("max_skipped", max_skipped,
          "Updates with a NaN or infinite loss or gradient are skipped; more than this many in a "
          "row end training, or cause a recovery.");
    visit("recoveries", recoveries,
          "How often training returns to the last checkpoint and continues with a lower learning "
          "rate, where max_skipped would end it. 0 is never; 2 or 3 for unattended runs.");
    visit("recovery_rate", recovery_rate,
          "Factor on the learning rate after each recovery, to the end of the run; more than 0 and "
          "at most 1.");
    visit("log_norms", log_norms,
          "Adds to the reports in log.jsonl the norms of gradient and weights of each module, and "
          "for each cell the share of gates below 0.05 or above 0.95. Costs one more forward pass "
          "per report, without the kernels.");
    visit(
        "tensorboard", tensorboard,
        "Also writes event files for TensorBoard into the folder tensorboard of the run: scalars, "
        "histograms of weights and gradients at validations, outputs with their attention "
        "weights.");
    visit("report_every", report_every, "Updates between progress reports, 1 or more.");
    visit("validate_every", validate_every,
          "Updates between validations, 1 or more; each saves a checkpoint, which may become the "
          "best.");
    visit("save_every", save_every,
          "Updates between checkpoints: the most that a crash can lose. 0 saves at validations "
          "only.");
    visit("max_failed_saves", max_failed_saves,
          "Saves in a row that may fail on a full or faulty disk while training continues with a "
          "warning; one more, or a failure of the last save, ends it with an error.");
    visit("metric", metric,
          "Metrics of validations. The first selects the checkpoint `best`, and drives patience "
          "and the plateau schedule; of several, each has its own best one, best-chrf. loss, "
          "perplexity; of decoded outputs bleu, chrf and accuracy, which are always computed, and "
          "chrf++, bleu_4, meteor, rouge_l, cider, f1, wer, cer, per, as seq2seq eval computes "
          "them; command, that of metric_command. Behind the name of a further validation set, of "
          "that: [bleu, news.bleu].");
    visit("metric_options", metric_options);
    visit("metric_command", metric_command,
          "A command of the shell that reads the decoded outputs of a validation set, a line each, "
          "and prints a number, the metric `command`, of which higher is better. The environment "
          "variable SEQ2SEQ_VALIDATION_SET names the set. Runs with --allow-scripts only.");
    visit("patience", patience,
          "Stop after this many validations without improvement; 0 is no bound.");
    visit(
        "samples", samples,
        "Lines of the validation data, evenly spaced, whose outputs are kept in log.jsonl at each "
        "validation, with attention weights, for seq2seq report; 0 or more.");
    visit("keep_last", keep_last, "Latest checkpoints kept besides the best, 1 or more.");
    visit("processes", processes);
  }
};

// InvalidArgument, naming the key and its value, if an option is out of range.
absl::Status Validate(const FineTuneOptions& options);
absl::Status Validate(const TrainOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_TRAIN_OPTIONS_H_
