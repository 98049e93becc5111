#include "seq2seq/search/request_reader.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <re2/re2.h>

#include "seq2seq/base/log.h"
#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/utf8.h"

namespace seq2seq {
namespace {

std::vector<std::string> AllSubwords(const Tokenizer& tokenizer) {
  TokenIds ids(static_cast<size_t>(tokenizer.size()));
  std::iota(ids.begin(), ids.end(), 0);
  return tokenizer.Subwords(ids);
}

int64_t Bytes(const std::vector<std::string>& texts) {
  size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  return static_cast<int64_t>(bytes);
}

absl::Status CheckBytes(const char* key, int64_t bytes, const SearchLimits& limits) {
  OptionRules rules;
  rules.Expect(key, absl::StrCat(bytes, " bytes"), bytes <= limits.max_wishes,
               absl::StrCat("at most max_wishes, which is ", limits.max_wishes));
  return rules.status();
}

// In quotes, and cut if it is long.
std::string Shown(const std::string& text) {
  constexpr size_t kShown = 100;
  if (text.size() <= kShown) return absl::StrCat("'", text, "'");
  return absl::StrCat("'", RepairUtf8(text.substr(0, kShown)), "…'");
}

}  // namespace

absl::StatusOr<std::vector<std::string>> FindKept(const std::vector<std::string>& expressions,
                                                  const std::string& source) {
  std::vector<std::string> found;
  for (const std::string& text : expressions) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_longest_match(false);
    const RE2 expression(text, options);
    if (!expression.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("keep: ", Shown(text), ": ", expression.error()));
    }
    re2::StringPiece rest(source);
    re2::StringPiece match;
    while (!rest.empty() && expression.Match(rest, 0, rest.size(), RE2::UNANCHORED, &match, 1)) {
      const auto end = static_cast<size_t>(match.data() - rest.data()) + match.size();
      const std::string kept(match.data(), match.size());
      if (!IsBlank(kept) && std::find(found.begin(), found.end(), kept) == found.end())
        found.push_back(kept);
      rest.remove_prefix(std::min(rest.size(), end + (match.empty() ? 1 : 0)));
    }
  }
  return found;
}

RequestReader::RequestReader(const Tokenizer& tokenizer)
    : tokenizer_(tokenizer), vocabulary_(AllSubwords(tokenizer)) {}

absl::StatusOr<TokenIds> RequestReader::Encode(const char* key, const std::string& text) const {
  const std::string repaired = RepairUtf8(text);
  TokenIds ids = tokenizer_.Encode(repaired);
  if (std::find(ids.begin(), ids.end(), kUnknownId) == ids.end()) return ids;
  return absl::InvalidArgumentError(
      absl::StrCat(key, ": the target tokenizer lacks characters of ", Shown(repaired)));
}

absl::StatusOr<ForbiddenWords> RequestReader::ReadForbidden(const SearchOptions& options,
                                                            const SearchLimits& limits) const {
  SEQ2SEQ_RETURN_IF_ERROR(CheckBytes("forbidden", Bytes(options.forbidden), limits));
  std::vector<TokenIds> phrases;
  for (const std::string& text : options.forbidden) {
    SEQ2SEQ_ASSIGN_OR_RETURN(TokenIds ids, Encode("forbidden", text));
    phrases.push_back(std::move(ids));
  }
  return ForbiddenWords(phrases, vocabulary_, !options.partial_words);
}

absl::StatusOr<SearchTask> RequestReader::Read(const Request& request, const SearchOptions& options,
                                               const ForbiddenWords& forbidden,
                                               const SearchLimits& limits) const {
  const auto count = static_cast<int64_t>(request.constraints.size());
  if (count > 0 && (options.groups > 1 || options.sample)) {
    return absl::InvalidArgumentError("constraints cannot be combined with groups or sample");
  }
  OptionRules rules;
  rules.Expect("constraints", count, count <= limits.max_constraints,
               absl::StrCat("at most max_constraints, which is ", limits.max_constraints));
  SEQ2SEQ_RETURN_IF_ERROR(rules.status());
  const auto bytes = static_cast<int64_t>(request.prefix.size()) + Bytes(request.constraints) +
                     Bytes(options.forbidden);
  SEQ2SEQ_RETURN_IF_ERROR(CheckBytes("prefix, constraints and forbidden", bytes, limits));

  const auto encode = [&](const char* key, const std::string& text) -> absl::StatusOr<TokenIds> {
    SEQ2SEQ_ASSIGN_OR_RETURN(TokenIds ids, Encode(key, text));
    const std::string word = forbidden.Find(ids);
    if (word.empty()) return ids;
    return absl::InvalidArgumentError(
        absl::StrCat(key, ": ", Shown(text), " contains the forbidden phrase ", Shown(word)));
  };
  SearchTask task;
  SEQ2SEQ_ASSIGN_OR_RETURN(task.prefix, encode("prefix", request.prefix));
  for (const std::string& text : request.constraints) {
    SEQ2SEQ_ASSIGN_OR_RETURN(TokenIds ids, encode("constraints", text));
    if (!ids.empty()) task.constraints.push_back(std::move(ids));
  }
  SEQ2SEQ_RETURN_IF_ERROR(Keep(request, options, forbidden, limits, task));
  if (!options.partial_words) task.vocabulary = &vocabulary_;
  task.whole_prefix = !options.partial_words && !task.prefix.empty();
  if (!options.forbidden.empty()) task.forbidden = &forbidden;
  return task;
}

absl::Status RequestReader::Keep(const Request& request, const SearchOptions& options,
                                 const ForbiddenWords& forbidden, const SearchLimits& limits,
                                 SearchTask& task) const {
  if (options.keep.empty()) return absl::OkStatus();
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> kept,
                           FindKept(options.keep, RepairUtf8(request.text)));
  for (const std::string& text : kept) {
    const absl::StatusOr<TokenIds> ids = Encode("keep", text);
    const bool fits = static_cast<int64_t>(task.constraints.size()) < limits.max_constraints;
    if (ids.ok() && fits && forbidden.Find(*ids).empty()) {
      if (!ids->empty()) task.constraints.push_back(*ids);
      continue;
    }
    Log(LogLevel::kWarning,
        ids.ok() ? absl::StrCat("keep: ", Shown(text), " is not kept: it is ",
                                fits ? "forbidden" : "one too many for max_constraints")
                 : absl::StrCat(ids.status().message(), ", which is not kept"));
  }
  return absl::OkStatus();
}

}  // namespace seq2seq
