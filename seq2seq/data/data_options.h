// Options of training and validation data.
#ifndef SEQ2SEQ_DATA_DATA_OPTIONS_H_
#define SEQ2SEQ_DATA_DATA_OPTIONS_H_

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/data/bucket.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/subword_sampler.h"
#include "seq2seq/image/image.h"

namespace seq2seq {

struct DataOptions {
  std::vector<std::string> train;
  std::vector<double> weights;
  std::vector<std::string> valid;
  std::vector<std::string> valid_names;
  std::string images;
  int64_t max_pixels = kMaxPixels;
  AugmentOptions augment;
  std::string source_tokenizer;
  std::string target_tokenizer;
  FilterOptions filter;
  SubwordSamplingOptions sampling;
  BucketOptions batch;

  template <typename V>
  void Visit(V&& visit) {
    visit("train", train,
          "Training files: [source, target] with one sentence per line, or [table] of "
          "source<TAB>target; [text] without a source, and in pretraining. Plain, or in gzip, zstd "
          "or xz. - is standard input, which is copied into the run folder once.");
    visit(
        "weights", weights,
        "For several corpora, whose files follow each other in train: how often the pairs of each "
        "occur in an epoch, above 0 and up to 1,000. 3 is three times, 0.5 every other pair.");
    visit("valid", valid,
          "Validation files, in the formats of train, held out: for early stopping and the choice "
          "of the best checkpoint.");
    visit("valid_names", valid_names,
          "For several validation sets, whose files follow each other in valid: their names, [dev, "
          "news]. Metrics of the first have plain names, bleu; those of the others the set's in "
          "front, news.bleu.");
    visit("images", images,
          "Folder of the images, if model.source is image; train and valid are then [table] of "
          "image<TAB>caption.");
    visit("max_pixels", max_pixels,
          "Images of more pixels, and feature files of more values, are left out, and at most this "
          "many pixels are decoded at the same time, at 12 bytes each. Bounds memory.");
    visit("augment", augment);
    visit("source_tokenizer", source_tokenizer, "SentencePiece model of the source language.");
    visit("target_tokenizer", target_tokenizer,
          "SentencePiece model of the target language; may be the same file.");
    visit("filter", filter);
    visit("sampling", sampling);
    visit("batch", batch);
  }
};

// `files` in equal parts, as many as `count`, at least one.
inline std::vector<std::vector<std::string>> SplitFiles(const std::vector<std::string>& files,
                                                        size_t count) {
  count = std::max<size_t>(count, 1);
  std::vector<std::vector<std::string>> parts;
  for (auto file = files.begin(); parts.size() < count; file += files.size() / count)
    parts.emplace_back(file, file + files.size() / count);
  return parts;
}

// The files of each corpus in `options.train`, which is valid.
inline std::vector<std::vector<std::string>> TrainCorpora(const DataOptions& options) {
  return SplitFiles(options.train, options.weights.size());
}

// The files of each set in `options.valid`, which is valid.
inline std::vector<std::vector<std::string>> ValidationFiles(const DataOptions& options) {
  return SplitFiles(options.valid, options.valid_names.size());
}

// InvalidArgument, naming the key and its value, if `options` are invalid.
inline absl::Status Validate(const DataOptions& options) {
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options.augment, "data.augment"));
  OptionRules rules;
  const size_t corpora = std::max<size_t>(options.weights.size(), 1);
  rules.Expect("data.train", absl::StrCat(options.train.size(), " files"),
               options.train.size() == corpora || options.train.size() == 2 * corpora,
               corpora == 1 ? "[source, target] or [table]; several corpora need data.weights"
                            : "one or two files for each of data.weights");
  const auto inputs = std::count(options.train.begin(), options.train.end(), "-");
  rules.Expect("data.train", absl::StrCat("- ", inputs, " times"), inputs <= 1,
               "-, standard input, once at most");
  rules.Expect("data.valid", "-", std::count(options.valid.begin(), options.valid.end(), "-") == 0,
               "files; standard input can only be in data.train");
  for (const double weight : options.weights)
    rules.Expect("data.weights", weight, weight > 0 && weight <= 1000, "more than 0, up to 1,000");
  const size_t sets = std::max<size_t>(options.valid_names.size(), 1);
  rules.Expect("data.valid", absl::StrCat(options.valid.size(), " files"),
               options.valid.size() == sets || options.valid.size() == 2 * sets,
               sets == 1 ? "[source, target] or [table]; several sets need data.valid_names"
                         : "one or two files for each of data.valid_names");
  for (const std::string& name : options.valid_names) {
    const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
    });
    rules.Expect("data.valid_names", absl::StrCat("'", name, "'"), plain,
                 "letters, digits, _ and -");
    rules.Expect("data.valid_names", name,
                 std::count(options.valid_names.begin(), options.valid_names.end(), name) == 1,
                 "every name once");
  }
  if (!options.images.empty()) {
    rules.Expect("data.train", options.train.size(), options.train.size() == corpora, "[table]");
    rules.Expect("data.valid", options.valid.size(), options.valid.size() == sets, "[table]");
  }
  rules.Expect("data.max_pixels", options.max_pixels,
               options.max_pixels >= 1 && options.max_pixels <= 1 << 30, "1 to 1,073,741,824");
  rules.Expect("data.filter.max_line_bytes", options.filter.max_line_bytes,
               options.filter.max_line_bytes >= 1, "1 or more");
  rules.Expect("data.filter.max_length", options.filter.max_length, options.filter.max_length >= 1,
               "1 or more");
  rules.Expect("data.filter.max_ratio", options.filter.max_ratio, options.filter.max_ratio >= 0,
               "0 or more");
  rules.Expect("data.sampling.alpha", options.sampling.alpha,
               options.sampling.alpha >= 0 && options.sampling.alpha <= 1, "0 to 1");
  rules.Expect("data.batch.size", options.batch.size, options.batch.size >= 1, "1 or more");
  rules.Expect("data.batch.pool", options.batch.pool, options.batch.pool >= 1, "1 or more");
  return rules.status();
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_DATA_OPTIONS_H_
