#include "seq2seq/search/translator.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/log.h"
#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/utf8.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/model/describe_error.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/search/beam.h"
#include "seq2seq/search/fusion_scorer.h"
#include "seq2seq/model/model_scorer.h"
#include "seq2seq/search/sample.h"

namespace seq2seq {
namespace {

std::string Repaired(const std::string& line) {
  if (IsValidUtf8(line)) return line;
  Log(LogLevel::kWarning, "a line is not UTF-8; its invalid bytes are replaced");
  return RepairUtf8(line);
}

// Converts exceptions of LibTorch, such as out of memory.
absl::Status ToStatus(const std::exception& error) {
  return absl::InternalError(absl::StrCat("translation failed: ", Describe(error)));
}

std::string NotToBeHad(Precision precision, torch::Device device) {
  return absl::StrCat("precision ", EnumText(precision), " is not supported on ",
                      device.is_cpu() ? "this CPU" : device.str());
}

absl::StatusOr<Tokenizer> LoadTokenizer(const std::string& path, int64_t vocab) {
  SEQ2SEQ_ASSIGN_OR_RETURN(Tokenizer tokenizer, Tokenizer::Load(path));
  if (tokenizer.size() == vocab) return tokenizer;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": the tokenizer has ", tokenizer.size(), " subwords, the model ", vocab));
}

bool SameTokenizer(const std::optional<Tokenizer>& a, const std::optional<Tokenizer>& b) {
  return a.has_value() == b.has_value() && (!a || a->model() == b->model());
}

// The tokens that translations must contain.
TokenIds NeededTokens(absl::Span<const SearchTask> tasks) {
  TokenIds needed;
  const auto add = [&](const TokenIds& tokens) {
    needed.insert(needed.end(), tokens.begin(), tokens.end());
  };
  for (const SearchTask& task : tasks) {
    add(task.prefix);
    for (const TokenIds& constraint : task.constraints) add(constraint);
  }
  return needed;
}

// Requests of a stream that are searched together.
struct Block {
  int64_t start;
  size_t size;
};

// The block that contains request `number`, where blocks have at most `largest` requests.
Block BlockOf(int64_t number, size_t largest) {
  Block block = {0, std::min<size_t>(16, largest)};
  while (block.start + static_cast<int64_t>(block.size) <= number) {
    block.start += static_cast<int64_t>(block.size);
    block.size = std::min(2 * block.size, largest);
  }
  return block;
}

}  // namespace

absl::StatusOr<Translator> Translator::LoadOne(const std::string& path, const LoadOptions& wanted) {
  SEQ2SEQ_ASSIGN_OR_RETURN(StoredModel stored, FindModel(path));
  stored.options.image.network.allow_scripts = wanted.allow_scripts;
  LoadOptions options = wanted;
  std::vector<std::string> notes;
  if (!options.precision || *options.precision == PrecisionChoice::kAuto) {
    SEQ2SEQ_ASSIGN_OR_RETURN(Precision precision, StoredPrecision(stored));
    if (options.precision && precision == Precision::kFp32)
      precision = Resolve(PrecisionChoice::kAuto, options.device);
    if (!HasPrecision(precision, options.device)) {
      notes.push_back(absl::StrCat(NotToBeHad(precision, options.device), "; computing in fp32"));
      precision = Precision::kFp32;
    }
    options.precision = ChoiceOf(precision);
  }
  std::optional<Tokenizer> source;
  if (stored.options.source == SourceKind::kText) {
    SEQ2SEQ_ASSIGN_OR_RETURN(
        source, LoadTokenizer(stored.run.SourceTokenizer(), stored.options.source_vocab));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(
      Tokenizer target, LoadTokenizer(stored.run.TargetTokenizer(), stored.options.target_vocab));
  SEQ2SEQ_ASSIGN_OR_RETURN(Model model, LoadModel(stored));
  try {
    model->to(options.device);
    Translator translator(std::move(model), std::move(source), std::move(target), options);
    notes.insert(notes.end(), translator.notes_.begin(), translator.notes_.end());
    translator.notes_.clear();
    for (const std::string& note : notes)
      translator.notes_.push_back(absl::StrCat(path, ": ", note));
    return translator;
  } catch (const std::exception& error) {
    return ToStatus(error);
  }
}

absl::StatusOr<Translator> Translator::Load(absl::Span<const std::string> paths,
                                            const LoadOptions& options) {
  if (paths.empty()) return absl::InvalidArgumentError("expected at least one model, found none");
  if (options.precision) {
    const Precision precision = Resolve(*options.precision, options.device);
    if (!HasPrecision(precision, options.device))
      return absl::InvalidArgumentError(NotToBeHad(precision, options.device));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(Translator ensemble, LoadOne(paths[0], options));
  SEQ2SEQ_ASSIGN_OR_RETURN(const StoredModel first, FindModel(paths[0]));
  std::error_code ignored;
  if (options.shortlist && std::filesystem::exists(first.run.Shortlist(), ignored)) {
    SEQ2SEQ_ASSIGN_OR_RETURN(ensemble.shortlist_,
                             Shortlist::Load(first.run.Shortlist(), first.options.source_vocab,
                                             first.options.target_vocab));
  }
  for (const std::string& path : paths.subspan(1)) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const Translator member, LoadOne(path, options));
    const auto differ = [&](const char* what) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": has ", what, " from ", paths[0]));
    };
    if (member.target_.model() != ensemble.target_.model())
      return differ("a different target tokenizer");
    if (member.source_kind_ != ensemble.source_kind_) return differ("a different model.source");
    if (!SameTokenizer(member.source_, ensemble.source_))
      return differ("a different source tokenizer");
    if (member.image_input_ != ensemble.image_input_)
      return differ("a different model.image.input");
    ensemble.models_.push_back(member.models_[0]);
    ensemble.has_attention_ |= member.has_attention_;
    ensemble.notes_.insert(ensemble.notes_.end(), member.notes_.begin(), member.notes_.end());
  }
  if (!options.language_model.empty()) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const Translator model, LoadOne(options.language_model, options));
    if (model.source_kind_ != SourceKind::kNone) {
      return absl::InvalidArgumentError(absl::StrCat(
          options.language_model, ": not a language model: its model.source is not none"));
    }
    if (model.target_.model() != ensemble.target_.model()) {
      return absl::InvalidArgumentError(absl::StrCat(
          options.language_model, ": has a different tokenizer from the target of ", paths[0]));
    }
    ensemble.language_model_ = model.models_[0];
    ensemble.notes_.insert(ensemble.notes_.end(), model.notes_.begin(), model.notes_.end());
  }
  return ensemble;
}

Translator::Translator(Model model, std::optional<Tokenizer> source, Tokenizer target,
                       const LoadOptions& options)
    : mean_(options.mean),
      source_kind_(model->options().source),
      has_attention_(source_kind_ != SourceKind::kNone &&
                     model->options().decoder.attention != AttentionKind::kNone),
      source_(std::move(source)),
      target_(std::move(target)),
      requests_(std::make_shared<RequestReader>(target_)) {
  TORCH_CHECK(source_.has_value() == (source_kind_ == SourceKind::kText),
              "a source tokenizer is for models with model.source=text, which need one");
  if (source_kind_ == SourceKind::kImage) {
    const ImageEncoderOptions& image = model->options().image;
    image_input_ = ImageInput{image.network.kind == ImageNetworkKind::kFeatures, image.input};
  }
  read_image = [image = model->options().image, max_pixels = options.max_pixels](
                   const std::string& file) { return ReadImageInput(image, file, max_pixels); };
  const Precision precision =
      Resolve(options.precision.value_or(PrecisionChoice::kFp32), options.device);
  std::string note = PrecisionNote(model->options(), options.device, precision);
  if (!note.empty()) notes_.push_back(std::move(note));
  models_.push_back(MakeScoringModel(std::move(model), options.device, precision));
}

absl::Status Translator::CheckAttention(const SearchOptions& options) const {
  if (has_attention_ || (!options.attention && options.coverage_penalty == 0))
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      options.attention ? "attention" : "coverage_penalty",
      ": the model has no attention: its model.source or model.decoder.attention is none"));
}

TokenIds Translator::EncodeLine(const Tokenizer& tokenizer, const std::string& line) const {
  TokenIds ids = tokenizer.Encode(Repaired(line));
  if (static_cast<int64_t>(ids.size()) > max_line_length) {
    Log(LogLevel::kWarning,
        absl::StrCat("a line of ", ids.size(), " subwords is cut to ", max_line_length));
    ids.resize(static_cast<size_t>(max_line_length));
  }
  return ids;
}

Translator::Prepared Translator::Prepare(const Request& request, const SearchOptions& options,
                                         SearchTask task) const {
  Prepared line;
  line.task = std::move(task);
  line.task.min_length = options.min_length;
  line.task.max_length = options.max_length;
  switch (source_kind_) {
    case SourceKind::kText: {
      line.source = EncodeLine(*source_, request.text);
      const auto length = static_cast<int64_t>(line.source.size());
      line.task.min_length = MinLength(length, options);
      line.task.max_length = MaxLength(length, options);
      break;
    }
    case SourceKind::kImage:
      line.file = request.text;
      break;
    case SourceKind::kNone: {
      TokenIds begin = EncodeLine(target_, request.text);
      begin.insert(begin.end(), line.task.prefix.begin(), line.task.prefix.end());
      line.task.prefix = std::move(begin);
      line.task.min_length += static_cast<int64_t>(line.task.prefix.size());
      line.task.max_length += static_cast<int64_t>(line.task.prefix.size());
      break;
    }
  }
  line.task.attention = options.attention;
  line.task.interrupt = request.interrupt;
  Fingerprint seed;
  seed.Add(source_kind_ == SourceKind::kText ? "" : request.text);
  for (const int32_t id : line.source) seed.AddValue(id);
  line.task.seed = seed.value();
  if (request.on_text) {
    line.task.on_token = [this, tokens = TokenIds(), &request](int32_t token) mutable {
      tokens.push_back(token);
      request.on_text(target_.Decode(tokens));
    };
  }
  return line;
}

int64_t Translator::ScoresOfSentence(const SearchOptions& options) const {
  return (options.sample ? options.n_best : options.beam) * target_.size();
}

double Translator::weight_bytes() const {
  double bytes = language_model_ == nullptr ? 0 : language_model_->weight_bytes();
  for (const auto& model : models_) bytes += model->weight_bytes();
  return bytes;
}

double Translator::BatchBytes(const SearchShape& shape) const {
  double bytes = language_model_ == nullptr ? 0 : language_model_->BatchBytes(shape);
  for (const auto& model : models_) bytes += model->BatchBytes(shape);
  return bytes;
}

std::vector<std::vector<size_t>> Translator::Batches(absl::Span<const Prepared> lines,
                                                     const SearchOptions& options) const {
  const int64_t most =
      std::min(batch_size, std::max<int64_t>(1, batch_scores / ScoresOfSentence(options)));
  const auto size_of = [&](size_t index) {
    const Prepared& line = lines[index];
    return source_kind_ == SourceKind::kNone ? line.task.prefix.size() : line.source.size();
  };
  std::vector<size_t> order(lines.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return size_of(a) < size_of(b); });
  std::vector<std::vector<size_t>> batches;
  SearchShape shape;
  shape.hypotheses = options.sample ? options.n_best : options.beam;
  for (const size_t index : order) {
    // The last sentence is the longest.
    shape.source = static_cast<int64_t>(size_of(index)) + 1;
    shape.sentences = batches.empty() ? 1 : static_cast<int64_t>(batches.back().size()) + 1;
    const int64_t steps = options.attention ? lines[index].task.max_length : 0;
    shape.steps = shape.sentences == 1 ? steps : std::max(shape.steps, steps);
    if (batches.empty() || shape.sentences > most ||
        shape.sentences * shape.source > batch_tokens ||
        (batch_bytes > 0 && BatchBytes(shape) > batch_bytes)) {
      batches.emplace_back();
      shape.steps = steps;
    }
    batches.back().push_back(index);
  }
  return batches;
}

torch::Tensor Translator::ReadImages(absl::Span<const Prepared> lines,
                                     std::vector<size_t>& indices) const {
  std::vector<torch::Tensor> images;
  std::vector<size_t> read;
  for (const size_t index : indices) {
    const std::string& file = lines[index].file;
    const auto image = read_image(file);
    if (image.ok()) {
      images.push_back(*image);
      read.push_back(index);
    } else if (!file.empty()) {
      Log(LogLevel::kWarning, image.status().message());
    }
  }
  indices = std::move(read);
  return images.empty() ? torch::Tensor() : torch::stack(images);
}

Candidate Translator::MakeCandidate(const Prepared& line, const Hypothesis& hypothesis) const {
  Candidate candidate = {target_.Decode(hypothesis.tokens),
                         hypothesis.tokens,
                         target_.Subwords(hypothesis.tokens),
                         hypothesis.token_scores,
                         hypothesis.log_probability,
                         hypothesis.score,
                         {}};
  if (line.task.attention && source_) {
    candidate.alignment.source = source_->Subwords(line.source);
    candidate.alignment.source.push_back("</s>");
  }
  for (const auto& attended : hypothesis.attention)
    candidate.alignment.weights.push_back(*attended);
  return candidate;
}

Batch Translator::MakeBatch(absl::Span<const Prepared> lines, std::vector<size_t>& indices) const {
  Batch batch;
  if (source_kind_ == SourceKind::kImage) {
    batch.images = ReadImages(lines, indices);
    return batch;
  }
  std::vector<absl::Span<const int32_t>> sources;
  for (const size_t index : indices) sources.push_back(lines[index].source);
  return CollateSources(sources);
}

std::unique_ptr<Scorer> Translator::MakeScorer(const Batch& batch, const TokenIds& tokens,
                                               const SearchOptions& options) const {
  std::vector<std::unique_ptr<Scorer>> members;
  for (const auto& model : models_) members.push_back(model->Begin(batch, tokens));
  auto scorer = std::make_unique<EnsembleScorer>(std::move(members), mean_);
  if (language_model_ == nullptr || options.language_model_weight == 0) return scorer;
  return std::make_unique<FusionScorer>(std::move(scorer), language_model_->Begin(batch, tokens),
                                        options.language_model_weight);
}

void Translator::SearchBatch(absl::Span<const Prepared> lines, std::vector<size_t> indices,
                             const SearchOptions& options, const Shortlist* shortlist,
                             std::vector<TranslationResult>& results) const {
  const auto interrupted = [&](size_t index) {
    const Interrupt& interrupt = lines[index].task.interrupt;
    if (!interrupt.raised()) return false;
    results[index] = interrupt.error();
    return true;
  };
  indices.erase(std::remove_if(indices.begin(), indices.end(), interrupted), indices.end());
  if (indices.empty()) return;
  const Batch batch = MakeBatch(lines, indices);
  if (indices.empty()) return;
  std::vector<SearchTask> tasks;
  std::vector<absl::Span<const int32_t>> sources;
  for (const size_t index : indices) {
    tasks.push_back(lines[index].task);
    sources.push_back(lines[index].source);
  }
  TokenIds tokens;
  if (shortlist) tokens = shortlist->Tokens(sources, NeededTokens(tasks));
  const std::unique_ptr<Scorer> scorer = MakeScorer(batch, tokens, options);
  const auto found =
      options.sample ? Sample(*scorer, tasks, options) : BeamSearch(*scorer, tasks, options);
  for (size_t i = 0; i < indices.size(); ++i) {
    TranslationResult& result = results[indices[i]];
    if (found[i].empty()) result = tasks[i].interrupt.error();
    for (const Hypothesis& hypothesis : found[i])
      result->push_back(MakeCandidate(lines[indices[i]], hypothesis));
  }
}

std::vector<TranslationResult> Translator::Search(absl::Span<const Prepared> lines,
                                                  const SearchOptions& options,
                                                  const Shortlist* shortlist) const {
  std::vector<TranslationResult> results(lines.size(), std::vector<Candidate>());
  const torch::InferenceMode inference;
  for (const std::vector<size_t>& indices : Batches(lines, options)) {
    try {
      SearchBatch(lines, indices, options, shortlist, results);
    } catch (const std::exception& error) {
      for (const size_t index : indices) results[index] = ToStatus(error);
    }
  }
  return results;
}

absl::StatusOr<std::vector<std::vector<Candidate>>> Translator::Translate(
    absl::Span<const std::string> lines, const SearchOptions& options) const {
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options, limits));
  std::vector<Request> requests;
  for (const std::string& line : lines) requests.push_back({line, {}, {}, {}});
  std::vector<std::vector<Candidate>> results;
  for (TranslationResult& result : TranslateRequests(requests, options)) {
    SEQ2SEQ_RETURN_IF_ERROR(result.status());
    results.push_back(*std::move(result));
  }
  return results;
}

absl::StatusOr<ForbiddenWords> Translator::CheckOptions(const SearchOptions& options) const {
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options, limits));
  SEQ2SEQ_RETURN_IF_ERROR(CheckAttention(options));
  OptionRules rules;
  rules.Expect(options.sample ? "n_best" : "beam", options.sample ? options.n_best : options.beam,
               ScoresOfSentence(options) <= batch_scores,
               absl::StrCat("at most ", batch_scores / target_.size(), ", for ", target_.size(),
                            " target subwords and a batch of at most ", batch_scores, " scores"));
  SEQ2SEQ_RETURN_IF_ERROR(rules.status());
  return requests_->ReadForbidden(options, limits);
}

absl::Status Translator::CheckRequests(absl::Span<const Request> requests,
                                       const SearchOptions& options) const {
  SEQ2SEQ_ASSIGN_OR_RETURN(const ForbiddenWords forbidden, CheckOptions(options));
  for (const Request& request : requests)
    SEQ2SEQ_RETURN_IF_ERROR(requests_->Read(request, options, forbidden, limits).status());
  return absl::OkStatus();
}

std::vector<TranslationResult> Translator::TranslateRequests(absl::Span<const Request> requests,
                                                             const SearchOptions& options) const {
  const absl::StatusOr<ForbiddenWords> forbidden = CheckOptions(options);
  if (!forbidden.ok()) return std::vector<TranslationResult>(requests.size(), forbidden.status());
  std::vector<TranslationResult> results(requests.size(), std::vector<Candidate>());
  std::vector<Prepared> filled;
  std::vector<size_t> positions;
  for (size_t i = 0; i < requests.size(); ++i) {
    absl::StatusOr<SearchTask> task = requests_->Read(requests[i], options, *forbidden, limits);
    if (!task.ok()) {
      results[i] = task.status();
      continue;
    }
    Prepared line = Prepare(requests[i], options, *std::move(task));
    if (source_kind_ == SourceKind::kText && line.source.empty()) continue;
    filled.push_back(std::move(line));
    positions.push_back(i);
  }
  std::vector<TranslationResult> found =
      Search(filled, options, shortlist_ ? &*shortlist_ : nullptr);
  for (size_t i = 0; i < positions.size(); ++i) results[positions[i]] = std::move(found[i]);
  for (TranslationResult& result : results) {
    if (result.ok() && result->empty()) result->resize(1);
  }
  return results;
}

int64_t Translator::BlockStart(int64_t number) const {
  return BlockOf(number, static_cast<size_t>(batch_size) * 16).start;
}

absl::Status Translator::TranslateStream(
    absl::FunctionRef<absl::StatusOr<std::vector<Request>>(size_t most)> read,
    absl::FunctionRef<absl::Status(const Request& request, const std::vector<Candidate>& results)>
        write,
    const SearchOptions& options, int64_t first) const {
  const auto largest = static_cast<size_t>(batch_size) * 16;
  for (size_t most = BlockOf(first, largest).size;; most = std::min(2 * most, largest)) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<Request> requests, read(most));
    if (requests.empty()) return absl::OkStatus();
    const std::vector<TranslationResult> results = TranslateRequests(requests, options);
    for (size_t i = 0; i < requests.size(); ++i) {
      SEQ2SEQ_RETURN_IF_ERROR(results[i].status());
      SEQ2SEQ_RETURN_IF_ERROR(write(requests[i], *results[i]));
    }
  }
}

absl::StatusOr<std::vector<Candidate>> Translator::Score(absl::Span<const std::string> sources,
                                                         absl::Span<const std::string> targets,
                                                         const SearchOptions& options) const {
  const bool alone = source_kind_ == SourceKind::kNone;
  if (alone && !sources.empty())
    return absl::InvalidArgumentError("the model has no source: expected targets only");
  if (sources.size() != (alone ? 0 : targets.size())) {
    return absl::InvalidArgumentError(
        absl::StrCat(sources.size(), " sources and ", targets.size(), " targets do not pair up"));
  }
  // Forced decoding.
  SearchOptions forced = options;
  forced.beam = forced.n_best = forced.groups = 1;
  forced.sample = false;
  forced.stopping = Stopping::kFinished;
  SEQ2SEQ_RETURN_IF_ERROR(Validate(forced, limits));
  SEQ2SEQ_RETURN_IF_ERROR(CheckAttention(forced));
  std::vector<Prepared> lines;
  for (size_t i = 0; i < targets.size(); ++i) {
    lines.push_back(Prepare({alone ? "" : sources[i], {}, {}, {}}, forced, SearchTask()));
    lines.back().task.prefix = EncodeLine(target_, targets[i]);
    lines.back().task.max_length = 0;
  }
  std::vector<TranslationResult> found = Search(lines, forced, /*shortlist=*/nullptr);
  std::vector<Candidate> results;
  for (size_t i = 0; i < found.size(); ++i) {
    SEQ2SEQ_RETURN_IF_ERROR(found[i].status());
    if (found[i]->empty())
      return absl::InvalidArgumentError(absl::StrCat(sources[i], ": the image cannot be read"));
    results.push_back(std::move((*found[i])[0]));
  }
  return results;
}

}  // namespace seq2seq
