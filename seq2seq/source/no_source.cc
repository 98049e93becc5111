#include "seq2seq/source/no_source.h"

#include <utility>

#include "seq2seq/source/text_source.h"

namespace seq2seq {

NoSource::NoSource(Tokenizer target, int64_t max_line_length)
    : target_(std::move(target)), max_line_length_(max_line_length) {}

std::optional<SourceInput> NoSource::Read(const std::string& line) const {
  SourceInput input;
  input.prompt = EncodeLine(target_, line, max_line_length_);
  return input;
}

}  // namespace seq2seq
