// Text as a source: the subwords of a line.
#ifndef SEQ2SEQ_SOURCE_TEXT_SOURCE_H_
#define SEQ2SEQ_SOURCE_TEXT_SOURCE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "seq2seq/source/source.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// The subwords of a line, of which invalid UTF-8 is replaced and at most the first `max_length` are
// kept: the log has a warning of either.
std::vector<int32_t> EncodeLine(const Tokenizer& tokenizer, const std::string& line,
                                int64_t max_length);

// Reads ids; nothing for a line without subwords.
class TextSource : public Source {
 public:
  explicit TextSource(Tokenizer tokenizer);

  std::optional<SourceInput> Read(const std::string& line, int64_t max_length) const override;
  // The subwords of the ids, and then "</s>".
  std::vector<std::string> Subwords(const SourceInput& input) const override;
  SourceKind kind() const override { return SourceKind::kText; }
  std::string Requirement() const override { return "source tokenizer"; }
  uint64_t Fingerprint() const override;

 private:
  Tokenizer tokenizer_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SOURCE_TEXT_SOURCE_H_
