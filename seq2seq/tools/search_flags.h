// Command-line flags of search options, which start from those of the model.
#ifndef SEQ2SEQ_TOOLS_SEARCH_FLAGS_H_
#define SEQ2SEQ_TOOLS_SEARCH_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "seq2seq/search/search_options.h"

namespace CLI {
class App;
}  // namespace CLI

namespace seq2seq {

struct SearchFlags {
  SearchOptions options;  // As given; the others at their defaults.
  std::vector<std::string> configs;
};

// Adds --config, and a flag for each search option whose key is in `keys`, or for all if that is
// empty. `flags` must live until the command line is parsed.
void AddSearchFlags(CLI::App& command, SearchFlags& flags,
                    absl::Span<const absl::string_view> keys = {});

// After parsing: the options that the run of `model` was validated with, over them those of the
// files of --config, and over these the flags that were given.
absl::StatusOr<SearchOptions> ChooseSearch(const CLI::App& command, const SearchFlags& flags,
                                           const std::string& model);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_SEARCH_FLAGS_H_
