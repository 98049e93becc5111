// config.yaml. What is read must be the same when it is printed and read again.
#include "seq2seq/tools/torch/config.h"

#include <string>

#include "seq2seq/base/options.h"
#include "tests/fuzz/input.h"

namespace seq2seq {
namespace {

void Fuzz(const uint8_t* data, size_t size) {
  Config config;
  const OptionList options = ListOptions(config);
  const std::string path = InputFile(data, size);
  ReadOtherSections(path, options).status().IgnoreError();
  if (!ReadOptions(path, options, OtherSections::kIgnored).ok()) return;
  Validate(config.training.data).IgnoreError();
  Validate(config.training.model).IgnoreError();
  Validate(config.training.train).IgnoreError();
  Validate(config.validation).IgnoreError();

  const std::string printed = PrintOptions(options);
  Config again;
  const OptionList read = ListOptions(again);
  const absl::Status status = ReadOptions(
      InputFile(reinterpret_cast<const uint8_t*>(printed.data()), printed.size()), read);
  Require(status.ok(), status.ToString());
  Require(PrintOptions(read) == printed, printed);
}

}  // namespace
}  // namespace seq2seq

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  seq2seq::Fuzz(data, size);
  return 0;
}
