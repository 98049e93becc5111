#include "seq2seq/train/training_data.h"

#include <cstddef>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "seq2seq/align/word_aligner.h"
#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/log.h"
#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/data/source_encoder.h"
#include "seq2seq/train/standard_input.h"
#include "seq2seq/train/validation_metrics.h"

namespace seq2seq {
namespace {

absl::StatusOr<Tokenizer> LoadTokenizer(const char* key, const std::string& path) {
  if (!path.empty()) return Tokenizer::Load(path);
  return absl::InvalidArgumentError(
      absl::StrCat(key, ": expected a tokenizer model; `seq2seq tokenizer train` learns one"));
}

// Sets the vocabulary size to the tokenizer's, with which a configured one must agree.
absl::Status SetVocab(const char* key, int64_t subwords, int64_t& vocab) {
  if (vocab == 0) vocab = subwords;
  if (vocab == subwords) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(key, ": is ", vocab, ", but the tokenizer has ", subwords, " subwords"));
}

absl::StatusOr<Corpus> BuildCorpus(const std::string& what, const std::vector<std::string>& files,
                                   const SourceEncoder& source, const Tokenizer& target,
                                   const FilterOptions& filter, const std::string& path,
                                   int threads) {
  SEQ2SEQ_ASSIGN_OR_RETURN(Corpus corpus,
                           Corpus::Build(files, source, target, filter, path, threads));
  Log(LogLevel::kInfo, absl::StrCat(what, ": ", corpus.counts().Text(filter)));
  return corpus;
}

absl::StatusOr<ValidationText> ReadValidation(const std::vector<std::string>& files) {
  ValidationText text;
  if (files.size() == 2) {
    SEQ2SEQ_ASSIGN_OR_RETURN(text.sources, ReadLines(files[0]));
    SEQ2SEQ_ASSIGN_OR_RETURN(text.references.emplace_back(), ReadLines(files[1]));
    return text;
  }
  // A repeated source, as images with several captions are, gives another reference.
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> lines, ReadLines(files[0]));
  absl::flat_hash_map<std::string, size_t> numbers;
  std::vector<std::vector<std::string>> of_source;
  for (const std::string& line : lines) {
    const size_t tab = line.find('\t');
    const auto [found, is_new] = numbers.try_emplace(line.substr(0, tab), of_source.size());
    if (is_new) {
      text.sources.push_back(line.substr(0, tab));
      of_source.emplace_back();
    }
    of_source[found->second].push_back(line.substr(tab + 1));
  }
  for (size_t i = 0; i < of_source.size(); ++i) {
    if (of_source[i].size() > text.references.size()) text.references.resize(of_source[i].size());
    for (size_t r = 0; r < of_source[i].size(); ++r) {
      text.references[r].resize(of_source.size());  // An empty line is not a reference.
      text.references[r][i] = of_source[i][r];
    }
  }
  return text;
}

// Prepares `options`, whose files are those to read.
absl::StatusOr<TrainingData> PrepareFiles(const RunFolder& run, c10::Device device,
                                          const Tokenizers& tokenizers, const DataOptions& options,
                                          int threads, TrainingConfig& config) {
  std::unique_ptr<ImageData> images;
  if (config.model.source == SourceKind::kImage) {
    std::vector<std::string> tables = options.train;
    tables.insert(tables.end(), options.valid.begin(), options.valid.end());
    SEQ2SEQ_ASSIGN_OR_RETURN(images, ImageData::Prepare(run, device, tables, config));
  }
  const bool pretrains = IsPretraining(config.train.objective);
  const bool has_sources = config.model.source != SourceKind::kNone && !pretrains;
  const SourceEncoder source = images        ? EncodeImages(images->images())
                               : has_sources ? EncodeText(*tokenizers.source)
                                             : EncodeNothing();
  std::vector<Corpus> train;
  for (const std::vector<std::string>& files : TrainCorpora(options)) {
    const std::string number = train.empty() ? "" : absl::StrCat("-", train.size());
    SEQ2SEQ_ASSIGN_OR_RETURN(
        Corpus corpus,
        BuildCorpus(options.weights.empty() ? "data.train" : files.back(), files, source,
                    tokenizers.target, options.filter, run.Cache() + "/train" + number, threads));
    train.push_back(std::move(corpus));
  }
  std::vector<ValidationData> valid;
  for (const std::vector<std::string>& files : ValidationFiles(options)) {
    const std::string number = valid.empty() ? "" : absl::StrCat("-", valid.size());
    SEQ2SEQ_ASSIGN_OR_RETURN(
        Corpus corpus,
        BuildCorpus(options.valid_names.empty() ? "data.valid" : options.valid_names[valid.size()],
                    files, source, tokenizers.target, options.filter,
                    run.Cache() + "/valid" + number, threads));
    ValidationText text;
    if (has_sources) {
      SEQ2SEQ_ASSIGN_OR_RETURN(text, ReadValidation(files));
    }
    const std::string name = options.valid_names.empty() ? "" : options.valid_names[valid.size()];
    valid.push_back({name, std::move(corpus), std::move(text)});
  }
  TrainingData data{std::move(images), std::move(train), std::move(valid), options, nullptr};
  if (config.train.guided_alignment > 0) {
    const CorpusMix mix = data.Train();
    Log(LogLevel::kInfo, absl::StrCat("learning word alignments from ", mix.size(), " pairs"));
    data.aligner = std::make_shared<const WordAligner>(
        WordAligner::Learn(PairsOf(mix), config.model.source_vocab, config.model.target_vocab));
  }
  return data;
}

}  // namespace

absl::StatusOr<Tokenizers> LoadTokenizers(TrainingConfig& config) {
  std::optional<Tokenizer> source;
  if (config.model.source == SourceKind::kText) {
    SEQ2SEQ_ASSIGN_OR_RETURN(source,
                             LoadTokenizer("data.source_tokenizer", config.data.source_tokenizer));
    SEQ2SEQ_RETURN_IF_ERROR(
        SetVocab("model.source_vocab", source->size(), config.model.source_vocab));
  }
  const bool pretrains = IsPretraining(config.train.objective);
  if (pretrains && config.data.target_tokenizer.empty())
    config.data.target_tokenizer = config.data.source_tokenizer;
  SEQ2SEQ_ASSIGN_OR_RETURN(Tokenizer target,
                           LoadTokenizer("data.target_tokenizer", config.data.target_tokenizer));
  SEQ2SEQ_RETURN_IF_ERROR(SetVocab("model.target_vocab", target.size(), config.model.target_vocab));
  if (pretrains && source->model() != target.model()) {
    return absl::InvalidArgumentError(
        absl::StrCat("data.target_tokenizer: expected nothing, or data.source_tokenizer, ",
                     config.data.source_tokenizer, ", where train.objective is ",
                     EnumText(config.train.objective), ", found ", config.data.target_tokenizer));
  }
  const char* const joint = config.model.shared_embeddings ? "model.shared_embeddings"
                            : config.model.decoder.copy    ? "model.decoder.copy"
                                                           : nullptr;
  if (joint != nullptr && source && source->model() != target.model()) {
    return absl::InvalidArgumentError(
        absl::StrCat(joint, ": needs one tokenizer for both sides, found ",
                     config.data.source_tokenizer, " and ", config.data.target_tokenizer));
  }
  return Tokenizers{std::move(source), std::move(target)};
}

absl::Status TrainingData::Validate(const TrainingConfig& config) {
  SEQ2SEQ_RETURN_IF_ERROR(seq2seq::Validate(config.data));
  std::vector<std::string> further = config.data.valid_names;
  if (!further.empty()) further.erase(further.begin());
  SEQ2SEQ_RETURN_IF_ERROR(ValidateMetricNames(config.train.metric, further));
  const SourceKind source = config.model.source;
  if ((source == SourceKind::kImage) == config.data.images.empty()) {
    return absl::InvalidArgumentError(
        "data.images: must name the images' folder if model.source is image, else be empty");
  }
  OptionRules rules;
  rules.Expect("data.sampling.source", "true",
               source == SourceKind::kText || !config.data.sampling.source,
               "false unless model.source is text");
  const Objective objective = config.train.objective;
  const bool pretrains = IsPretraining(objective);
  if (pretrains || source == SourceKind::kNone) {
    const std::vector<std::string>& metric = config.train.metric;
    const std::string where = pretrains
                                  ? absl::StrCat(" where train.objective is ", EnumText(objective))
                                  : " where model.source is none";
    rules.Expect("data.train", absl::StrCat(config.data.train.size(), " files"),
                 TrainCorpora(config.data)[0].size() == 1, absl::StrCat("[text]", where));
    rules.Expect("data.valid", absl::StrCat(config.data.valid.size(), " files"),
                 ValidationFiles(config.data)[0].size() == 1, absl::StrCat("[text]", where));
    rules.Expect("train.metric", absl::StrJoin(metric, ", "), AreLosses(metric),
                 absl::StrCat("loss or perplexity", where));
    rules.Expect("model.source", EnumText(source), !pretrains || source == SourceKind::kText,
                 absl::StrCat("text", where));
    rules.Expect("data.sampling.source", "true", !pretrains || !config.data.sampling.source,
                 absl::StrCat("false", where, "; data.sampling.target samples the text"));
  }
  rules.Expect("train.teacher", absl::StrCat(config.run.teacher.size(), " models"),
               objective == Objective::kTranslation || config.run.teacher.empty(),
               "[] unless train.objective is translation");
  rules.Expect("train.sampled_softmax", config.train.sampled_softmax,
               config.train.sampled_softmax == 0 || config.run.teacher.empty(),
               "0 where there is a train.teacher, which teaches all subwords");
  rules.Expect("model.decoder.copy", "true",
               !config.model.decoder.copy || config.run.teacher.empty(),
               "false where there is a train.teacher, whose output layer is learnt");
  const ForcingScheduleOptions& forcing = config.train.teacher_forcing;
  rules.Expect("model.decoder.copy", "true",
               !config.model.decoder.copy ||
                   (forcing.kind == ForcingScheduleKind::kConstant && forcing.start == 1),
               "false with scheduled sampling (train.teacher_forcing), which predicts no copies");
  rules.Expect("train.objective", EnumText(objective),
               !LearnsFromOutputs(objective) || source != SourceKind::kNone,
               "translation where model.source is none");
  rules.Expect("train.init_from", "nothing",
               !LearnsFromOutputs(objective) || !config.run.init_from.empty(),
               absl::StrCat("a trained run where train.objective is ", EnumText(objective)));
  const DecoderOptions& attending = config.model.decoder;
  const bool aligns = config.train.guided_alignment > 0;
  rules.Expect("train.guided_alignment", config.train.guided_alignment,
               !aligns || (source == SourceKind::kText && objective == Objective::kTranslation &&
                           HasAttention(config.model)),
               "0 unless train.objective is translation, of text, with attention");
  rules.Expect("model.decoder.aligned_head", "false",
               !aligns || attending.kind == DecoderKind::kRecurrent || attending.aligned_head,
               "true for train.guided_alignment of Transformers, which would else guide all heads");
  const DecoderKind decoder = config.model.decoder.kind;
  rules.Expect("model.decoder.kind", EnumText(decoder),
               (decoder == DecoderKind::kHead) == (objective == Objective::kMasked),
               "head where train.objective is masked, and only there");
  return rules.status();
}

absl::StatusOr<TrainingData> TrainingData::Prepare(const RunFolder& run, c10::Device device,
                                                   const Tokenizers& tokenizers, int threads,
                                                   TrainingConfig& config) {
  DataOptions options = config.data;
  options.train = ReplaceStandardInput(run, std::move(options.train));
  bool copied = false;
  if (options.train != config.data.train) {
    SEQ2SEQ_ASSIGN_OR_RETURN(copied, CopyStandardInput(run));
  }
  absl::StatusOr<TrainingData> data =
      PrepareFiles(run, device, tokenizers, options, threads, config);
  // The next attempt may come with other input.
  if (!data.ok() && copied) SEQ2SEQ_RETURN_IF_ERROR(RemovePath(StandardInputCopy(run)));
  return data;
}

CorpusMix TrainingData::Train() const {
  std::vector<const Corpus*> corpora;
  for (const Corpus& corpus : train) corpora.push_back(&corpus);
  return CorpusMix(corpora, options.weights.empty() ? std::vector<double>{1} : options.weights);
}

ValidationSets TrainingData::Valid() const {
  std::vector<ValidationSet> sets;
  for (const ValidationData& set : valid) sets.emplace_back(set.name, set.corpus);
  return ValidationSets(std::move(sets));
}

std::unique_ptr<Source> TrainingData::MakeSource(const Tokenizers& tokenizers) const {
  if (images) return images->MakeSource();
  return seq2seq::MakeSource({.kind = tokenizers.source ? SourceKind::kText : SourceKind::kNone},
                             tokenizers.source, tokenizers.target);
}

ExampleTransforms TrainingData::Transforms(const Tokenizers& tokenizers,
                                           const TrainOptions& train) const {
  ExampleTransforms transforms;
  if (images) transforms.images = images->Reader();
  const auto sampler = [&](const Tokenizer& tokenizer) {
    return SubwordSampler(tokenizer, options.sampling.alpha, options.filter.max_length);
  };
  if (options.sampling.source) transforms.source = sampler(*tokenizers.source);
  if (options.sampling.target) transforms.target = sampler(tokenizers.target);
  transforms.aligner = aligner;
  if (IsPretraining(train.objective))
    transforms.noise = Noise(train.objective, train.noise, tokenizers.target);
  return transforms;
}

}  // namespace seq2seq
