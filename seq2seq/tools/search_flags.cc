#include "seq2seq/tools/search_flags.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <CLI/CLI.hpp>

#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/yaml_keys.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/tools/option_flags.h"

namespace seq2seq {
namespace {

// Refuses a file that gives no search options, such as one whose keys are in no section.
absl::Status CheckHasOptions(const std::string& path) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto keys, ReadYamlKeys(path));
  for (const auto& [key, value] : keys) {
    if (absl::StartsWith(key, "validation.")) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--config: ", path, ": has no search options in a section 'validation'"));
}

}  // namespace

void AddSearchFlags(CLI::App& command, SearchFlags& flags,
                    absl::Span<const absl::string_view> keys) {
  command
      .add_option(
          "-c,--config", flags.configs,
          "A YAML file with search options in a section `validation`, as in the config.yaml "
          "of a run; repeat for several. Options that neither it nor a flag gives are those "
          "that the first model was validated with")
      ->option_text("FILE")
      ->allow_extra_args(false);
  AddOptionFlags(command, ListOptions(flags.options), keys);
}

absl::StatusOr<SearchOptions> ChooseSearch(const CLI::App& command, const SearchFlags& flags,
                                           const std::string& model) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const StoredModel stored, FindModel(model));
  SearchOptions chosen;
  SEQ2SEQ_RETURN_IF_ERROR(ReadSearchOptions(stored.run.Config(), chosen));
  for (const std::string& path : flags.configs) {
    SEQ2SEQ_RETURN_IF_ERROR(CheckHasOptions(path));
    SEQ2SEQ_RETURN_IF_ERROR(ReadSearchOptions(path, chosen));
  }
  SearchOptions given = flags.options;
  for (const Option& option : ListOptions(given)) {
    const CLI::Option* flag = command.get_option_no_throw(FlagOf(option.key));
    if (flag == nullptr || flag->count() == 0) continue;
    SEQ2SEQ_RETURN_IF_ERROR(
        SetOption(absl::StrCat(option.key, "=", OptionText(option)), ListOptions(chosen)));
  }
  return chosen;
}

}  // namespace seq2seq
