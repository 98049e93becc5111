// Lines of text, plain or compressed, cut into words as metrics do.
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/utf8.h"
#include "seq2seq/metrics/segments.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto lines = seq2seq::ReadLines(seq2seq::InputFile(data, size));
  if (!lines.ok()) return 0;
  for (const std::string& line : *lines) {
    seq2seq::Require(line.find('\n') == std::string::npos, "two lines in one");
    seq2seq::Require(seq2seq::IsValidUtf8(seq2seq::RepairUtf8(line)), "not repaired");
    for (const auto kind :
         {seq2seq::Tokenization::k13a, seq2seq::Tokenization::kNone, seq2seq::Tokenization::kIntl,
          seq2seq::Tokenization::kChar, seq2seq::Tokenization::kMosesNorm}) {
      seq2seq::Tokenize(line, kind, /*lowercase=*/true);
    }
  }
  return 0;
}
