#include "seq2seq/search/request_reader.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

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

RequestReader::RequestReader(const Tokenizer& tokenizer)
    : tokenizer_(tokenizer), vocabulary_(AllSubwords(tokenizer)) {}

absl::StatusOr<TokenIds> RequestReader::Encode(const char* key, const std::string& text) const {
  const std::string repaired = RepairUtf8(text);
  TokenIds ids = tokenizer_.Encode(repaired);
  if (std::find(ids.begin(), ids.end(), kUnknownId) == ids.end()) return ids;
  return absl::InvalidArgumentError(
      absl::StrCat(key, ": the target tokenizer lacks characters of ", Shown(repaired)));
}

absl::StatusOr<CommonWishes> RequestReader::ReadCommon(const SearchOptions& options,
                                                       const SearchLimits& limits) const {
  SEQ2SEQ_RETURN_IF_ERROR(CheckBytes("forbidden", Bytes(options.forbidden), limits));
  SEQ2SEQ_RETURN_IF_ERROR(CheckBytes("keep", Bytes(options.keep), limits));
  SEQ2SEQ_ASSIGN_OR_RETURN(KeptText kept, KeptText::Compile(options.keep));
  std::vector<TokenIds> phrases;
  for (const std::string& text : options.forbidden) {
    SEQ2SEQ_ASSIGN_OR_RETURN(TokenIds ids, Encode("forbidden", text));
    phrases.push_back(std::move(ids));
  }
  return CommonWishes{ForbiddenWords(phrases, vocabulary_, !options.partial_words),
                      std::move(kept)};
}

absl::StatusOr<SearchTask> RequestReader::Read(const Request& request, const SearchOptions& options,
                                               const CommonWishes& common,
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
    const std::string word = common.forbidden.Find(ids);
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
  Keep(request, common, limits, task);
  if (!options.partial_words) task.vocabulary = &vocabulary_;
  task.whole_prefix = !options.partial_words && !task.prefix.empty();
  if (!options.forbidden.empty()) task.forbidden = &common.forbidden;
  return task;
}

void RequestReader::Keep(const Request& request, const CommonWishes& common,
                         const SearchLimits& limits, SearchTask& task) const {
  if (common.kept.empty()) return;
  const auto room = static_cast<size_t>(limits.max_constraints) - task.constraints.size();
  const auto bytes = static_cast<size_t>(limits.max_wishes);
  std::vector<std::string> left_out;
  size_t used = 0;
  for (const std::string& text : common.kept.Find(request.text, room + 1, bytes)) {
    const absl::StatusOr<TokenIds> ids = Encode("keep", text);
    const bool fits = static_cast<int64_t>(task.constraints.size()) < limits.max_constraints &&
                      (used += text.size()) <= bytes;
    if (ids.ok() && fits && common.forbidden.Find(*ids).empty()) {
      if (!ids->empty()) task.constraints.push_back(*ids);
    } else {
      left_out.push_back(text);
    }
  }
  if (left_out.empty()) return;
  Log(LogLevel::kWarning,
      absl::StrCat("keep: ", Shown(left_out[0]), left_out.size() > 1 ? " and more" : "",
                   left_out.size() > 1 ? " are" : " is",
                   " not kept: forbidden, beyond max_constraints or max_wishes, or with characters "
                   "that the target tokenizer lacks"));
}

}  // namespace seq2seq
