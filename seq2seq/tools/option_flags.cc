#include "seq2seq/tools/option_flags.h"

#include <algorithm>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace seq2seq {
namespace {

void AddEnum(CLI::App& command, const std::string& flag, const std::string& help,
             const EnumField& field) {
  command
      .add_option_function<std::string>(
          flag,
          [field](const std::string& text) {
            const auto found = std::find(field.texts.begin(), field.texts.end(), text);
            field.set(static_cast<size_t>(found - field.texts.begin()));
          },
          help)
      ->check(CLI::IsMember(field.texts))
      ->default_str(field.texts[field.get()]);
}

}  // namespace

std::string FlagOf(absl::string_view key) {
  return absl::StrCat("--", absl::StrReplaceAll(key, {{"_", "-"}}));
}

void AddOptionFlags(CLI::App& command, const OptionList& options,
                    absl::Span<const absl::string_view> keys) {
  for (const Option& option : options) {
    if (!keys.empty() && std::find(keys.begin(), keys.end(), option.key) == keys.end()) continue;
    std::string flag = FlagOf(option.key);
    if (option.key == "beam") flag = "-b," + flag;
    std::visit(
        [&](const auto& value) {
          using Value = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<Value, EnumField>) {
            AddEnum(command, flag, option.help, value);
          } else if constexpr (std::is_same_v<Value, TextField>) {
            command
                .add_option_function<std::string>(
                    flag, [value](const std::string& text) { value.set(text); }, option.help)
                ->check([value](const std::string& text) {
                  return value.set(text) ? "" : "expected " + value.wanted;
                })
                ->default_str(value.get());
          } else if constexpr (std::is_same_v<Value, bool*>) {
            command.add_flag(flag, *value, option.help);
          } else if constexpr (std::is_same_v<Value, std::vector<std::string>*>) {
            command.add_option(flag, *value, option.help)->allow_extra_args(false);
          } else {
            command.add_option(flag, *value, option.help)->capture_default_str();
          }
        },
        option.value);
  }
}

absl::Status NamingFlag(const absl::Status& status) {
  const absl::string_view message = status.message();
  const size_t end = message.find(':');
  if (status.ok() || end == absl::string_view::npos) return status;
  return absl::Status(status.code(),
                      absl::StrCat(FlagOf(message.substr(0, end)), message.substr(end)));
}

}  // namespace seq2seq
