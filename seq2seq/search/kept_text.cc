#include "seq2seq/search/kept_text.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include <re2/re2.h>

#include "seq2seq/base/utf8.h"

namespace seq2seq {
namespace {

// The start of the character behind that at `position`.
size_t NextCharacter(absl::string_view text, size_t position) {
  do {
    ++position;
  } while (position < text.size() && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80);
  return position;
}

}  // namespace

absl::StatusOr<KeptText> KeptText::Compile(const std::vector<std::string>& expressions) {
  KeptText kept;
  for (const std::string& text : expressions) {
    RE2::Options options;
    options.set_log_errors(false);
    auto expression = std::make_shared<const RE2>(text, options);
    if (!expression->ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("keep: '", RepairUtf8(text.substr(0, 100)), "': ", expression->error()));
    }
    kept.expressions_.push_back(std::move(expression));
  }
  return kept;
}

std::vector<std::string> KeptText::Find(absl::string_view source, size_t most,
                                        size_t max_bytes) const {
  const std::string text = RepairUtf8(std::string(source.substr(0, max_bytes)));
  absl::flat_hash_set<std::string> seen;
  std::vector<std::string> found;
  for (const auto& expression : expressions_) {
    size_t position = 0;
    re2::StringPiece match;
    while (found.size() < most && position < text.size() &&
           expression->Match(text, position, text.size(), RE2::UNANCHORED, &match, 1)) {
      const auto begin = static_cast<size_t>(match.data() - text.data());
      position = match.empty() ? NextCharacter(text, begin) : begin + match.size();
      std::string kept(match.data(), match.size());
      if (!IsBlank(kept) && seen.insert(kept).second) found.push_back(std::move(kept));
    }
  }
  return found;
}

}  // namespace seq2seq
