#include "seq2seq/search/translator.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "seq2seq/base/describe_error.h"
#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/log.h"
#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/search/batch_plan.h"
#include "seq2seq/search/batch_shortlist.h"
#include "seq2seq/search/bayes_risk.h"
#include "seq2seq/search/beam.h"
#include "seq2seq/search/row_ranges.h"
#include "seq2seq/search/sample.h"
#include "seq2seq/search/unknown_words.h"
#include "seq2seq/source/text_source.h"

namespace seq2seq {
namespace {

// The tokens that the translation must, or may, contain besides those of a shortlist.
TokenIds NeededTokens(const SearchTask& task, const SearchOptions& options) {
  TokenIds needed = task.prefix;
  if (options.replace_unknown) needed.push_back(kUnknownId);
  for (const TokenIds& constraint : task.constraints)
    needed.insert(needed.end(), constraint.begin(), constraint.end());
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

absl::StatusOr<Translator> Translator::Load(absl::Span<const std::string> paths,
                                            const LoadOptions& options) {
  SEQ2SEQ_ASSIGN_OR_RETURN(Ensemble ensemble, LoadEnsemble(paths, options));
  return Translator(std::move(ensemble), options.translator);
}

Translator::Translator(Ensemble ensemble, const TranslatorOptions& options)
    : ensemble_(std::move(ensemble)),
      options_(options),
      requests_(std::make_shared<RequestReader>(ensemble_.target)) {}

Translator::Translator(std::shared_ptr<const ScoringModel> model,
                       std::shared_ptr<const Source> source, Tokenizer target,
                       const TranslatorOptions& options)
    : Translator(Ensemble{.models = {std::move(model)},
                          .source = std::move(source),
                          .target = std::move(target),
                          .language_model = nullptr,
                          .shortlist = std::nullopt,
                          .notes = {}},
                 options) {}

Translator Translator::With(const TranslatorOptions& options) const {
  Translator other = *this;
  other.options_ = options;
  return other;
}

absl::Status Translator::CheckAttention(const SearchOptions& options) const {
  if (has_attention() ||
      (!options.attention && options.coverage_penalty == 0 && !options.replace_unknown))
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      options.attention              ? "attention"
      : options.coverage_penalty > 0 ? "coverage_penalty"
                                     : "replace_unknown",
      ": the model has no attention: its model.source or model.decoder.attention is none"));
}

SearchTask Translator::Complete(SearchTask task, const Request& request, const SourceInput& source,
                                const SearchOptions& options) const {
  task.prefix.insert(task.prefix.begin(), source.prompt.begin(), source.prompt.end());
  // A language model continues what is forced: lengths count what follows.
  const bool continues = source_kind() == SourceKind::kNone;
  const auto forced = continues ? static_cast<int64_t>(task.prefix.size()) : 0;
  const auto length = static_cast<int64_t>(source.ids.size());
  task.min_length = forced + (length > 0 ? MinLength(length, options) : options.min_length);
  task.max_length = forced + (length > 0 ? MaxLength(length, options) : options.max_length);
  task.attention = options.attention || options.replace_unknown;
  task.interrupt = request.interrupt;
  Fingerprint seed;
  seed.Add(length > 0 ? "" : request.text);
  for (const int32_t id : source.ids) seed.AddValue(id);
  task.seed = seed.value();
  // What is chosen among several, or changed, is known at the end only.
  const bool streams = options.mbr == BayesMetric::kNone && !options.replace_unknown;
  if (request.on_text && streams) {
    task.on_tokens = [this, last = std::string(), &request](absl::Span<const int32_t> tokens,
                                                            bool complete) mutable {
      std::string text = ensemble_.target.Decode(tokens);
      // The bytes of a character may be tokens of their own: until all are there, they are
      // replacement characters.
      constexpr absl::string_view kReplacement = "\uFFFD";
      while (!complete && absl::EndsWith(text, kReplacement))
        text.resize(text.size() - kReplacement.size());
      if (text == last) return;
      last = std::move(text);
      request.on_text(last);
    };
  }
  return task;
}

int64_t Translator::ScoresOfSentence(const SearchOptions& options) const {
  return (options.sample ? CandidateOptions(options).n_best : options.beam) *
         ensemble_.target.size();
}

std::vector<std::vector<size_t>> Translator::Batches(absl::Span<const Prepared> lines,
                                                     const SearchOptions& options) const {
  std::vector<LineShape> shapes;
  for (const Prepared& line : lines) {
    const size_t tokens =
        line.source.ids.empty() ? line.task.prefix.size() : line.source.ids.size();
    shapes.push_back({static_cast<int64_t>(tokens), line.task.max_length});
  }
  const BatchBounds bounds = {
      .sentences =
          std::min(options_.batch_size,
                   std::max<int64_t>(1, options_.batch_scores / ScoresOfSentence(options))),
      .tokens = options_.batch_tokens,
      .hypotheses = options.sample ? CandidateOptions(options).n_best : options.beam,
      .attention = options.attention || options.replace_unknown,
      .bytes = options_.batch_bytes};
  return PlanSearchBatches(
      shapes, bounds, [this](const SearchShape& shape) { return ensemble_.BatchBytes(shape); });
}

Candidate Translator::MakeCandidate(const Prepared& line, const Hypothesis& hypothesis,
                                    const SearchOptions& options) const {
  Candidate candidate = {ensemble_.target.Decode(hypothesis.tokens),
                         hypothesis.tokens,
                         ensemble_.target.Subwords(hypothesis.tokens),
                         hypothesis.token_scores,
                         hypothesis.log_probability,
                         hypothesis.score,
                         {}};
  if (line.task.attention) candidate.alignment.source = ensemble_.source->Subwords(line.source);
  for (const auto& weights : hypothesis.attention) candidate.alignment.weights.push_back(*weights);
  if (options.replace_unknown) {
    ReplaceUnknownWords(line.text, ensemble_.lexicon.get(), candidate);
    if (!options.attention) candidate.alignment = Alignment();
  }
  return candidate;
}

std::vector<size_t> Translator::LoadBatch(absl::Span<Prepared> lines,
                                          const std::vector<size_t>& indices,
                                          std::vector<TranslationResult>& results) const {
  std::vector<size_t> loaded;
  for (const size_t index : indices) {
    const Interrupt& interrupt = lines[index].task.interrupt;
    if (interrupt.raised()) {
      results[index] = interrupt.error();
      continue;
    }
    const absl::Status status = ensemble_.source->Load(lines[index].source);
    if (status.ok()) {
      loaded.push_back(index);
    } else {
      Log(LogLevel::kWarning, status.message());
    }
  }
  return loaded;
}

void Translator::SearchBatch(absl::Span<Prepared> lines, std::vector<size_t> indices,
                             const SearchOptions& options, const Shortlist* shortlist,
                             std::vector<TranslationResult>& results) const {
  // Images are large: they are dropped as soon as they are encoded, or cannot be.
  const auto drop = [&] {
    for (const size_t index : indices) lines[index].source.values = Array();
  };
  absl::Cleanup dropped = drop;
  indices = LoadBatch(lines, indices, results);
  if (indices.empty()) return;
  std::vector<SearchTask> tasks;
  std::vector<const SourceInput*> sources;
  std::vector<TokenIds> own;  // Shortlists.
  for (const size_t index : indices) {
    tasks.push_back(lines[index].task);
    sources.push_back(&lines[index].source);
    if (shortlist) {
      const TokenIds& ids = lines[index].source.ids;
      TokenIds needed = NeededTokens(tasks.back(), options);
      if (ensemble_.copies()) needed.insert(needed.end(), ids.begin(), ids.end());
      own.push_back(shortlist->Tokens(ids, needed));
    }
  }
  const BatchShortlist shortlists =
      shortlist ? BatchShortlist(std::move(own), shortlist->target_vocab(), shortlist->tail())
                : BatchShortlist();
  const std::unique_ptr<Scorer> scorer =
      ensemble_.Begin(sources, shortlists, options.language_model_weight);
  std::move(dropped).Invoke();
  const SearchOptions searched = CandidateOptions(options);
  const auto found =
      options.sample ? Sample(*scorer, tasks, searched) : BeamSearch(*scorer, tasks, searched);
  for (size_t i = 0; i < indices.size(); ++i) {
    TranslationResult& result = results[indices[i]];
    if (found[i].empty()) result = tasks[i].interrupt.error();
    for (const Hypothesis& hypothesis : found[i])
      result->push_back(MakeCandidate(lines[indices[i]], hypothesis, options));
  }
}

std::vector<TranslationResult> Translator::Search(absl::Span<Prepared> lines,
                                                  const SearchOptions& options,
                                                  const Shortlist* shortlist) const {
  std::vector<TranslationResult> results(lines.size(), std::vector<Candidate>());
  for (const std::vector<size_t>& indices : Batches(lines, options)) {
    try {
      SearchBatch(lines, indices, options, shortlist, results);
    } catch (const std::exception& error) {  // Such as out of memory.
      for (const size_t index : indices) results[index] = ToStatus(error, "translation failed");
    }
  }
  return results;
}

absl::StatusOr<std::vector<std::vector<Candidate>>> Translator::Translate(
    absl::Span<const std::string> lines, const SearchOptions& options) const {
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options, options_.limits));
  std::vector<Request> requests;
  for (const std::string& line : lines) requests.push_back({line, {}, {}, {}});
  std::vector<std::vector<Candidate>> results;
  for (TranslationResult& result : TranslateRequests(requests, options)) {
    SEQ2SEQ_RETURN_IF_ERROR(result.status());
    results.push_back(*std::move(result));
  }
  return results;
}

absl::StatusOr<CommonWishes> Translator::CheckOptions(const SearchOptions& options) const {
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options, options_.limits));
  SEQ2SEQ_RETURN_IF_ERROR(CheckAttention(options));
  OptionRules rules;
  const bool chooses = options.mbr != BayesMetric::kNone;
  rules.Expect(!options.sample ? "beam"
               : chooses       ? "mbr_samples"
                               : "n_best",
               options.sample ? CandidateOptions(options).n_best : options.beam,
               ScoresOfSentence(options) <= options_.batch_scores,
               absl::StrCat("at most ", options_.batch_scores / ensemble_.target.size(), ", for ",
                            ensemble_.target.size(), " target subwords and a batch of at most ",
                            options_.batch_scores, " scores"));
  SEQ2SEQ_RETURN_IF_ERROR(rules.status());
  if (!options.keep.empty() && source_kind() != SourceKind::kText)
    return absl::InvalidArgumentError("keep: expected a model of text, whose sources it searches");
  return requests_->ReadCommon(options, options_.limits);
}

absl::Status Translator::CheckRequests(absl::Span<const Request> requests,
                                       const SearchOptions& options) const {
  SEQ2SEQ_ASSIGN_OR_RETURN(const CommonWishes common, CheckOptions(options));
  for (const Request& request : requests)
    SEQ2SEQ_RETURN_IF_ERROR(requests_->Read(request, options, common, options_.limits).status());
  return absl::OkStatus();
}

std::vector<TranslationResult> Translator::TranslateRequests(absl::Span<const Request> requests,
                                                             const SearchOptions& options) const {
  const absl::StatusOr<CommonWishes> common = CheckOptions(options);
  if (!common.ok()) return std::vector<TranslationResult>(requests.size(), common.status());
  std::vector<TranslationResult> results(requests.size(), std::vector<Candidate>());
  std::vector<Prepared> lines;
  std::vector<size_t> numbers;  // Of their requests.
  for (size_t i = 0; i < requests.size(); ++i) {
    absl::StatusOr<SearchTask> task =
        requests_->Read(requests[i], options, *common, options_.limits);
    if (!task.ok()) {
      results[i] = task.status();
      continue;
    }
    std::optional<SourceInput> source =
        ensemble_.source->Read(requests[i].text, options_.max_line_length);
    if (!source) continue;
    SearchTask whole = Complete(*std::move(task), requests[i], *source, options);
    lines.push_back({requests[i].text, *std::move(source), std::move(whole)});
    numbers.push_back(i);
  }
  std::vector<TranslationResult> found =
      Search(absl::MakeSpan(lines), options, ensemble_.shortlist ? &*ensemble_.shortlist : nullptr);
  Choose(requests, numbers, options, found);
  for (size_t i = 0; i < numbers.size(); ++i) results[numbers[i]] = std::move(found[i]);
  for (TranslationResult& result : results) {
    if (result.ok() && result->empty()) result->resize(1);
  }
  return results;
}

void Translator::Choose(absl::Span<const Request> requests, absl::Span<const size_t> numbers,
                        const SearchOptions& options,
                        std::vector<TranslationResult>& results) const {
  const bool ranks = options.mbr != BayesMetric::kNone;
  if (!ranks && !options.replace_unknown) return;
  const auto rank = [&](size_t i) {
    TranslationResult& result = results[i];
    if (!result.ok() || result->empty()) return;
    const absl::Status status = BayesRisk(options).Rank(*result, requests[numbers[i]].interrupt);
    if (status.ok()) {
      result->resize(std::min(result->size(), static_cast<size_t>(options.n_best)));
    } else {
      result = status;
    }
  };
  if (ranks) {
    ForRanges(static_cast<int64_t>(results.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) rank(static_cast<size_t>(i));
    });
  }
  for (size_t i = 0; i < results.size(); ++i) {
    const Request& request = requests[numbers[i]];
    const TranslationResult& result = results[i];
    if (request.on_text && result.ok() && !result->empty() && !(*result)[0].text.empty())
      request.on_text((*result)[0].text);
  }
}

int64_t Translator::BlockStart(int64_t number) const {
  return BlockOf(number, static_cast<size_t>(options_.batch_size) * 16).start;
}

absl::Status Translator::TranslateStream(
    absl::FunctionRef<absl::StatusOr<std::vector<Request>>(size_t most)> read,
    absl::FunctionRef<absl::Status(const Request& request, const std::vector<Candidate>& results)>
        write,
    const SearchOptions& options, int64_t first) const {
  const auto largest = static_cast<size_t>(options_.batch_size) * 16;
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
  const bool alone = source_kind() == SourceKind::kNone;
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
  forced.mbr = BayesMetric::kNone;
  forced.replace_unknown = false;
  forced.keep.clear();
  SEQ2SEQ_RETURN_IF_ERROR(Validate(forced, options_.limits));
  SEQ2SEQ_RETURN_IF_ERROR(CheckAttention(forced));
  std::vector<Prepared> lines;
  for (size_t i = 0; i < targets.size(); ++i) {
    const Request request = {alone ? "" : sources[i], {}, {}, {}};
    Prepared line;
    line.source =
        ensemble_.source->Read(request.text, options_.max_line_length).value_or(SourceInput());
    line.task = Complete(SearchTask(), request, line.source, forced);
    line.task.prefix = EncodeLine(ensemble_.target, targets[i], options_.max_line_length);
    line.task.max_length = 0;
    lines.push_back(std::move(line));
  }
  std::vector<TranslationResult> found =
      Search(absl::MakeSpan(lines), forced, /*shortlist=*/nullptr);
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
