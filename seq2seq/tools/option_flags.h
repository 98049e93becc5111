// Command-line flags for the fields of options structs.
#ifndef SEQ2SEQ_TOOLS_OPTION_FLAGS_H_
#define SEQ2SEQ_TOOLS_OPTION_FLAGS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include <CLI/CLI.hpp>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/options.h"

namespace seq2seq {

// The flag of an option: "--max-length" of max_length.
std::string FlagOf(absl::string_view key);

// Adds a flag for each of `options` whose key is in `keys`, or for all if that is empty: the key
// max_length becomes --max-length, with the option's help. The struct that the options point into
// must live until the command line is parsed.
void AddOptionFlags(CLI::App& command, const OptionList& options,
                    absl::Span<const absl::string_view> keys = {});

// `status`, an error in options, with the key at its beginning replaced by the flag: "--n-best: …"
// for "n_best: …".
absl::Status NamingFlag(const absl::Status& status);

// Adds a flag that takes the texts of an enum and sets `value`, which is the enum or an optional of
// it and must live until the command line is parsed.
template <typename Enum, typename Value>
CLI::Option* AddEnumFlag(CLI::App& command, const char* flag, Value& value, const char* help) {
  return command
      .add_option_function<std::string>(
          flag, [&value](const std::string& text) { value = *EnumFromText<Enum>(text); }, help)
      ->check(CLI::IsMember(EnumTexts(Enum())));
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_OPTION_FLAGS_H_
