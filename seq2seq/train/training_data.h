// Training and validation data of a run, as configured.
#ifndef SEQ2SEQ_TRAIN_TRAINING_DATA_H_
#define SEQ2SEQ_TRAIN_TRAINING_DATA_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "seq2seq/data/corpus_mix.h"
#include "seq2seq/data/loader.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/source/source.h"
#include "seq2seq/train/image_data.h"
#include "seq2seq/train/training_config.h"
#include "seq2seq/train/validation_set.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

struct Tokenizers {
  std::optional<Tokenizer> source;  // Absent unless model.source is text.
  Tokenizer target;
};

// Loads the tokenizers that `config` names, and sets the vocabulary sizes in it. In pretraining,
// the source's is that of the target too.
absl::StatusOr<Tokenizers> LoadTokenizers(TrainingConfig& config);

// The raw text of a validation set, for metrics of decoded output; empty for models without a
// source, and in pretraining. Sources of an image model are names of images.
struct ValidationText {
  std::vector<std::string> sources;
  std::vector<std::vector<std::string>> references;  // references[reference][source]
};

// A validation set, of data.valid_names; the name is empty where there is one set alone.
struct ValidationData {
  std::string name;
  Corpus corpus;
  ValidationText text;
};

struct TrainingData {
  // Checks that `config.data` and train.metric suit the model's source.
  static absl::Status Validate(const TrainingConfig& config);

  // Encodes the text into the run's cache, with this number of threads, and checks the images, as
  // far as not done before; logs what is kept. Sets config.model.image.channels. "-" in data.train
  // is standard input, which is copied into the cache and read from there when the run resumes;
  // without success no new copy stays.
  static absl::StatusOr<TrainingData> Prepare(const RunFolder& run, c10::Device device,
                                              const Tokenizers& tokenizers, int threads,
                                              TrainingConfig& config);

  // The mixture of the training corpora by their weights. Must not outlive this.
  CorpusMix Train() const;

  // The validation sets for a trainer. Must not outlive this.
  ValidationSets Valid() const;

  // A source that reads the lines of `valid`, as decoding needs it. Must not outlive this.
  std::unique_ptr<Source> MakeSource(const Tokenizers& tokenizers) const;

  // Transforms of the examples of a batch: images read, subwords sampled, text corrupted. Must not
  // outlive this.
  ExampleTransforms Transforms(const Tokenizers& tokenizers, const TrainOptions& train) const;

  std::unique_ptr<ImageData> images;  // Null unless sources are images.
  std::vector<Corpus> train;
  std::vector<ValidationData> valid;
  DataOptions options;
  std::shared_ptr<const WordAligner> aligner;  // Null unless train.guided_alignment asks for it.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_TRAINING_DATA_H_
