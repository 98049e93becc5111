// Requests of translations, one JSON object on each line.
#include "absl/strings/str_split.h"

#include "seq2seq/search/search_options.h"
#include "seq2seq/search/translation_json.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const auto block = seq2seq::ParseRequests(line, {});
    if (block.ok()) seq2seq::Require(Validate(block->options).ok(), "options out of range");
  }
  return 0;
}
