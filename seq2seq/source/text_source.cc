#include "seq2seq/source/text_source.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/log.h"
#include "seq2seq/base/utf8.h"

namespace seq2seq {
namespace {

std::string Repaired(const std::string& line) {
  if (IsValidUtf8(line)) return line;
  Log(LogLevel::kWarning, "a line is not UTF-8; its invalid bytes are replaced");
  return RepairUtf8(line);
}

}  // namespace

std::vector<int32_t> EncodeLine(const Tokenizer& tokenizer, const std::string& line,
                                int64_t max_length) {
  std::vector<int32_t> ids = tokenizer.Encode(Repaired(line));
  if (static_cast<int64_t>(ids.size()) > max_length) {
    Log(LogLevel::kWarning,
        absl::StrCat("a line of ", ids.size(), " subwords is cut to ", max_length));
    ids.resize(static_cast<size_t>(max_length));
  }
  return ids;
}

TextSource::TextSource(Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {}

std::optional<SourceInput> TextSource::Read(const std::string& line, int64_t max_length) const {
  SourceInput input;
  input.ids = EncodeLine(tokenizer_, line, max_length);
  if (input.ids.empty()) return std::nullopt;
  return input;
}

std::vector<std::string> TextSource::Subwords(const SourceInput& input) const {
  std::vector<std::string> subwords = tokenizer_.Subwords(input.ids);
  subwords.push_back("</s>");
  return subwords;
}

uint64_t TextSource::Fingerprint() const {
  seq2seq::Fingerprint fingerprint;
  fingerprint.Add(tokenizer_.model());
  return fingerprint.value();
}

}  // namespace seq2seq
