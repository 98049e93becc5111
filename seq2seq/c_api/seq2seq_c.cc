#include "seq2seq/c_api/seq2seq_c.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/c_api/c_candidate.h"
#include "seq2seq/search/translator.h"

#if SEQ2SEQ_KERNELS
#include "seq2seq/kernels/parallel.h"
#endif

struct seq2seq_translator {
  seq2seq::Translator translator;
};

struct seq2seq_results {
  struct Result {
    std::string error;  // Empty if there are candidates.
    std::deque<seq2seq::CCandidate> candidates;
  };

  std::deque<Result> list;
};

namespace seq2seq {
namespace {

std::string& LastError() {
  thread_local std::string error;
  return error;
}

// The options of seq2seq_create.
struct CreateOptions {
  std::string precision;  // That of the stored weights by default.
  int64_t threads = 0;
  LoadOptions load;

  template <typename V>
  void Visit(V&& visit) {
    visit("precision", precision);
    visit("threads", threads);
    visit("ensemble", load.mean);
    visit("shortlist", load.shortlist);
    visit("language_model", load.language_model);
    visit("allow_scripts", load.allow_scripts);
    visit("max_pixels", load.max_pixels);
    visit("batch_size", load.translator.batch_size);
    visit("batch_tokens", load.translator.batch_tokens);
    visit("batch_scores", load.translator.batch_scores);
    visit("batch_bytes", load.translator.batch_bytes);
    visit("max_line_length", load.translator.max_line_length);
    load.translator.limits.Visit(visit);
  }
};

absl::Status Validate(const CreateOptions& options) {
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options.load.translator.limits));
  const TranslatorOptions& bounds = options.load.translator;
  OptionRules rules;
  const auto expect = [&](const char* key, int64_t value, int64_t least, int64_t most) {
    rules.Expect(key, value, value >= least && value <= most, absl::StrCat(least, " to ", most));
  };
  expect("threads", options.threads, 0, 1024);
  expect("max_pixels", options.load.max_pixels, 1, 1 << 30);
  expect("batch_size", bounds.batch_size, 1, 100'000);
  expect("batch_tokens", bounds.batch_tokens, 1, 100'000'000);
  expect("batch_scores", bounds.batch_scores, 1, 1'000'000'000);
  rules.Expect("batch_bytes", bounds.batch_bytes, bounds.batch_bytes >= 0, "0 or more");
  expect("max_line_length", bounds.max_line_length, 1, 1'000'000);
  return rules.status();
}

// Sets options from key=value words.
absl::Status SetOptions(const char* words, const OptionList& options) {
  if (words == nullptr) return absl::OkStatus();
  const char separator = absl::StrContains(words, '\n') ? '\n' : ' ';
  for (const absl::string_view word : absl::StrSplit(words, separator, absl::SkipWhitespace())) {
    SEQ2SEQ_RETURN_IF_ERROR(SetOption(word, options));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Texts(const std::string& name, const char* const* texts,
                                               size_t count) {
  if (texts == nullptr && count > 0) return absl::InvalidArgumentError(name + ": NULL");
  std::vector<std::string> copies;
  for (size_t i = 0; i < count; ++i) {
    if (texts[i] == nullptr)
      return absl::InvalidArgumentError(absl::StrCat(name, "[", i, "]: NULL"));
    copies.emplace_back(texts[i]);
  }
  return copies;
}

absl::StatusOr<Translator> Create(const char* const* models, size_t count, const char* words) {
  CreateOptions options;
  SEQ2SEQ_RETURN_IF_ERROR(SetOptions(words, ListOptions(options)));
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options));
  if (!options.precision.empty()) {
    options.load.precision = EnumFromText<PrecisionChoice>(options.precision);
    if (!options.load.precision) {
      return absl::InvalidArgumentError(
          absl::StrCat("precision: expected ", absl::StrJoin(EnumTexts(PrecisionChoice()), ", "),
                       ", found '", options.precision, "'"));
    }
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> paths, Texts("models", models, count));
#if SEQ2SEQ_KERNELS
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  SetParallelThreads(static_cast<int>(options.threads > 0 ? options.threads : cores));
#endif
  return Translator::Load(paths, options.load);
}

// Search options from key=value words over those of the first model.
absl::StatusOr<SearchOptions> ReadSearchOptions(const seq2seq_translator* translator,
                                                const char* words) {
  if (translator == nullptr) return absl::InvalidArgumentError("translator: NULL");
  SearchOptions options = translator->translator.search_options();
  SEQ2SEQ_RETURN_IF_ERROR(SetOptions(words, ListOptions(options)));
  return options;
}

absl::Status Translate(const seq2seq_translator* translator, const char* const* lines, size_t count,
                       const char* words, char** texts) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const SearchOptions options, ReadSearchOptions(translator, words));
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> sources, Texts("lines", lines, count));
  if (texts == nullptr && count > 0) return absl::InvalidArgumentError("texts: NULL");
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto results, translator->translator.Translate(sources, options));
  std::vector<char*> copies;
  for (const std::vector<Candidate>& candidates : results) {
    copies.push_back(strdup(candidates[0].text.c_str()));
    if (copies.back() != nullptr) continue;
    seq2seq_free_texts(copies.data(), copies.size());
    return absl::ResourceExhaustedError("out of memory for the translations");
  }
  std::copy(copies.begin(), copies.end(), texts);
  return absl::OkStatus();
}

// Copies request `index` of the caller, whose struct may be that of an earlier version.
absl::StatusOr<seq2seq_request> ReadFields(const seq2seq_request* requests, size_t index) {
  constexpr size_t kOldest = offsetof(seq2seq_request, data) + sizeof(seq2seq_request::data);
  const size_t stride = requests[0].size;
  size_t size = stride;
  const char* bytes = reinterpret_cast<const char*>(requests);
  if (size >= kOldest) std::memcpy(&size, bytes + index * stride, sizeof size);
  if (size < kOldest || size > sizeof(seq2seq_request) || size != stride) {
    return absl::InvalidArgumentError(
        absl::StrCat("requests[", index, "].size: expected sizeof(seq2seq_request), ", kOldest,
                     " to ", sizeof(seq2seq_request), " and that of requests[0], found ", size));
  }
  seq2seq_request fields = {};
  std::memcpy(&fields, bytes + index * stride, size);
  return fields;
}

// The request of the caller's fields, cancelled once its on_text returns 0.
absl::StatusOr<Request> ReadRequest(const seq2seq_request& fields, size_t index) {
  const std::string name = absl::StrCat("requests[", index, "]");
  if (fields.text == nullptr) return absl::InvalidArgumentError(name + ".text: NULL");
  Request request;
  request.text = fields.text;
  if (fields.prefix != nullptr) request.prefix = fields.prefix;
  SEQ2SEQ_ASSIGN_OR_RETURN(request.constraints, Texts(name + ".constraints", fields.constraints,
                                                      fields.constraint_count));
  constexpr double kMost = 1e9;
  OptionRules rules;
  rules.Expect(name + ".timeout", fields.timeout, fields.timeout >= 0 && fields.timeout <= kMost,
               "0 to 1e9 seconds");
  SEQ2SEQ_RETURN_IF_ERROR(rules.status());
  if (fields.timeout > 0) {
    request.interrupt.deadline =
        Interrupt::Clock::now() +
        std::chrono::microseconds(static_cast<int64_t>(std::ceil(fields.timeout * 1e6)));
  }
  if (fields.on_text == nullptr) return request;
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  request.interrupt.cancelled = cancelled;
  request.on_text = [cancelled, fields](const std::string& text) {
    if (!*cancelled && fields.on_text(fields.data, text.c_str()) == 0) *cancelled = true;
  };
  return request;
}

absl::StatusOr<seq2seq_results*> Search(const seq2seq_translator* translator,
                                        const seq2seq_request* requests, size_t count,
                                        const char* words) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const SearchOptions options, ReadSearchOptions(translator, words));
  SEQ2SEQ_RETURN_IF_ERROR(translator->translator.CheckRequests({}, options));
  if (requests == nullptr && count > 0) return absl::InvalidArgumentError("requests: NULL");
  std::vector<Request> copies;
  for (size_t i = 0; i < count; ++i) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const seq2seq_request fields, ReadFields(requests, i));
    SEQ2SEQ_ASSIGN_OR_RETURN(Request request, ReadRequest(fields, i));
    copies.push_back(std::move(request));
  }
  auto results = std::make_unique<seq2seq_results>();
  for (TranslationResult& found : translator->translator.TranslateRequests(copies, options)) {
    seq2seq_results::Result& result = results->list.emplace_back();
    if (!found.ok()) {
      result.error = std::string(found.status().message());
      continue;
    }
    for (Candidate& candidate : *found) result.candidates.emplace_back(std::move(candidate));
  }
  return results.release();
}

absl::StatusOr<seq2seq_results*> Score(const seq2seq_translator* translator,
                                       const char* const* sources, const char* const* targets,
                                       size_t count, const char* words) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const SearchOptions options, ReadSearchOptions(translator, words));
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> from,
                           Texts("sources", sources, sources == nullptr ? 0 : count));
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> to, Texts("targets", targets, count));
  SEQ2SEQ_ASSIGN_OR_RETURN(std::vector<Candidate> candidates,
                           translator->translator.Score(from, to, options));
  auto results = std::make_unique<seq2seq_results>();
  for (Candidate& candidate : candidates)
    results->list.emplace_back().candidates.emplace_back(std::move(candidate));
  return results.release();
}

// Runs `call` and keeps its error message. No exception may reach C.
template <typename Call>
bool Guarded(const Call& call) {
  LastError().clear();
  absl::Status status;
  try {
    status = call();
  } catch (const std::exception& error) {  // Such as std::bad_alloc.
    status = absl::InternalError(error.what());
  }
  if (!status.ok()) LastError() = std::string(status.message());
  return status.ok();
}

}  // namespace
}  // namespace seq2seq

extern "C" {

const char* seq2seq_last_error(void) { return seq2seq::LastError().c_str(); }

seq2seq_translator* seq2seq_create(const char* const* models, size_t count, const char* options) {
  seq2seq_translator* made = nullptr;
  seq2seq::Guarded([&] {
    auto translator = seq2seq::Create(models, count, options);
    if (translator.ok()) made = new seq2seq_translator{*std::move(translator)};
    return translator.status();
  });
  return made;
}

void seq2seq_free(seq2seq_translator* translator) { delete translator; }

const char* seq2seq_note(const seq2seq_translator* translator, size_t index) {
  if (translator == nullptr) return nullptr;
  const std::vector<std::string>& notes = translator->translator.notes();
  return index < notes.size() ? notes[index].c_str() : nullptr;
}

int seq2seq_translate(const seq2seq_translator* translator, const char* const* lines, size_t count,
                      const char* options, char** texts) {
  return seq2seq::Guarded(
      [&] { return seq2seq::Translate(translator, lines, count, options, texts); });
}

void seq2seq_free_texts(char** texts, size_t count) {
  for (size_t i = 0; i < count; ++i) std::free(texts[i]);
}

seq2seq_results* seq2seq_search(const seq2seq_translator* translator,
                                const seq2seq_request* requests, size_t count,
                                const char* options) {
  seq2seq_results* found = nullptr;
  seq2seq::Guarded([&] {
    const auto results = seq2seq::Search(translator, requests, count, options);
    if (results.ok()) found = *results;
    return results.status();
  });
  return found;
}

seq2seq_results* seq2seq_score(const seq2seq_translator* translator, const char* const* sources,
                               const char* const* targets, size_t count, const char* options) {
  seq2seq_results* found = nullptr;
  seq2seq::Guarded([&] {
    const auto results = seq2seq::Score(translator, sources, targets, count, options);
    if (results.ok()) found = *results;
    return results.status();
  });
  return found;
}

void seq2seq_free_results(seq2seq_results* results) { delete results; }

const seq2seq_candidate* seq2seq_get(const seq2seq_results* results, size_t index, size_t rank) {
  if (results == nullptr || index >= results->list.size()) return nullptr;
  const auto& candidates = results->list[index].candidates;
  return rank < candidates.size() ? &candidates[rank].fields() : nullptr;
}

const char* seq2seq_error(const seq2seq_results* results, size_t index) {
  if (results == nullptr || index >= results->list.size()) return nullptr;
  const seq2seq_results::Result& result = results->list[index];
  return result.candidates.empty() ? result.error.c_str() : nullptr;
}

}  // extern "C"
