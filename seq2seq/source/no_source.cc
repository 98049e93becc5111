#include "seq2seq/source/no_source.h"

#include <utility>

#include "seq2seq/source/text_source.h"

namespace seq2seq {

NoSource::NoSource(Tokenizer target) : target_(std::move(target)) {}

std::optional<SourceInput> NoSource::Read(const std::string& line, int64_t max_length) const {
  SourceInput input;
  input.prompt = EncodeLine(target_, line, max_length);
  return input;
}

}  // namespace seq2seq
