// Options as flags of the command line.
#ifndef SEQ2SEQ_TOOLS_OPTION_FLAGS_H_
#define SEQ2SEQ_TOOLS_OPTION_FLAGS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include <CLI/CLI.hpp>

#include "seq2seq/base/options.h"

namespace seq2seq {

// Adds a flag for each of `options` whose key is in `keys`, or for all if that is empty: the key
// max_length becomes --max-length, its help the flag's. What the options belong to must live until
// the program is parsed.
void AddOptionFlags(CLI::App& command, const OptionList& options,
                    absl::Span<const absl::string_view> keys = {});

// `status`, of a mistake in options, with the key that it begins with written as the flag:
// "--n-best: …" for "n_best: …".
absl::Status NamingFlag(const absl::Status& status);

// Adds a flag with the texts of an enum, which sets `value`: the enum, or an optional one. `value`
// must live until the program is parsed.
template <typename Enum, typename Value>
CLI::Option* AddEnumFlag(CLI::App& command, const char* flag, Value& value, const char* help) {
  return command
      .add_option_function<std::string>(
          flag, [&value](const std::string& text) { value = *EnumFromText<Enum>(text); }, help)
      ->check(CLI::IsMember(EnumTexts(Enum())));
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_OPTION_FLAGS_H_
