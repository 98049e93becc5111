#include "seq2seq/c_api/seq2seq_c.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/search/translator.h"

#if SEQ2SEQ_KERNELS
#include "seq2seq/kernels/parallel.h"
#endif

struct seq2seq_translator {
  seq2seq::Translator translator;
};

namespace seq2seq {
namespace {

std::string& LastError() {
  thread_local std::string error;
  return error;
}

struct CreateOptions {
  std::string precision;  // That of the stored weights by default.
  int64_t threads = 0;
  bool shortlist = true;
  std::string language_model;
  bool allow_scripts = false;

  template <typename V>
  void Visit(V&& visit) {
    visit("precision", precision);
    visit("threads", threads);
    visit("shortlist", shortlist);
    visit("language_model", language_model);
    visit("allow_scripts", allow_scripts);
  }
};

// Sets options from key=value words.
absl::Status SetOptions(const char* words, const OptionList& options) {
  if (words == nullptr) return absl::OkStatus();
  for (const absl::string_view word : absl::StrSplit(words, ' ', absl::SkipEmpty())) {
    SEQ2SEQ_RETURN_IF_ERROR(SetOption(word, options));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Texts(const char* name, const char* const* texts,
                                               size_t count) {
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
  if (options.threads < 0 || options.threads > 1024) {
    return absl::InvalidArgumentError(
        absl::StrCat("threads: expected 0 to 1024, found ", options.threads));
  }
#if SEQ2SEQ_KERNELS
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  SetParallelThreads(static_cast<int>(options.threads > 0 ? options.threads : cores));
#endif
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> paths, Texts("models", models, count));
  LoadOptions load = {.shortlist = options.shortlist,
                      .language_model = options.language_model,
                      .allow_scripts = options.allow_scripts};
  if (!options.precision.empty()) {
    load.precision = EnumFromText<PrecisionChoice>(options.precision);
    if (!load.precision) {
      return absl::InvalidArgumentError(
          absl::StrCat("precision: expected ", absl::StrJoin(EnumTexts(PrecisionChoice()), ", "),
                       ", found '", options.precision, "'"));
    }
  }
  return Translator::Load(paths, load);
}

absl::Status Translate(const seq2seq_translator* translator, const char* const* lines, size_t count,
                       const char* words, char** texts) {
  if (translator == nullptr) return absl::InvalidArgumentError("translator: NULL");
  SearchOptions options;
  SEQ2SEQ_RETURN_IF_ERROR(SetOptions(words, ListOptions(options)));
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> sources, Texts("lines", lines, count));
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

seq2seq_translator* seq2seq_create(const char* const* models, size_t count, const char* options) {
  seq2seq_translator* made = nullptr;
  seq2seq::Guarded([&] {
    auto translator = seq2seq::Create(models, count, options);
    if (translator.ok()) made = new seq2seq_translator{*std::move(translator)};
    return translator.status();
  });
  return made;
}

int seq2seq_translate(const seq2seq_translator* translator, const char* const* lines, size_t count,
                      const char* options, char** texts) {
  return seq2seq::Guarded(
      [&] { return seq2seq::Translate(translator, lines, count, options, texts); });
}

void seq2seq_free_texts(char** texts, size_t count) {
  for (size_t i = 0; i < count; ++i) std::free(texts[i]);
}

const char* seq2seq_note(const seq2seq_translator* translator, size_t index) {
  const std::vector<std::string>& notes = translator->translator.notes();
  return index < notes.size() ? notes[index].c_str() : nullptr;
}

void seq2seq_free(seq2seq_translator* translator) { delete translator; }

const char* seq2seq_last_error(void) { return seq2seq::LastError().c_str(); }

}  // extern "C"
