// No source: lines are beginnings of targets, for language models.
#ifndef SEQ2SEQ_SOURCE_NO_SOURCE_H_
#define SEQ2SEQ_SOURCE_NO_SOURCE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "seq2seq/source/source.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// Reads prompts, also empty ones.
class NoSource : public Source {
 public:
  explicit NoSource(Tokenizer target);

  std::optional<SourceInput> Read(const std::string& line, int64_t max_length) const override;
  SourceKind kind() const override { return SourceKind::kNone; }
  std::string Requirement() const override { return ""; }
  uint64_t Fingerprint() const override { return 0; }

 private:
  Tokenizer target_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SOURCE_NO_SOURCE_H_
