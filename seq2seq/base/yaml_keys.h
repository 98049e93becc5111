// Keys of YAML files whose options are not known: to show or compare configurations.
#ifndef SEQ2SEQ_BASE_YAML_KEYS_H_
#define SEQ2SEQ_BASE_YAML_KEYS_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace seq2seq {

// Keys in their order with the text of their values: {"model.decoder.hidden", "512"},
// {"data.train", "[a.en, a.de]"}. Of what is nested deeper than options are, the text is "…".
using YamlKeys = std::vector<std::pair<std::string, std::string>>;

// All keys of `text`, which is YAML; InvalidArgument with `name`, the line and the mistake.
absl::StatusOr<YamlKeys> ParseYamlKeys(const std::string& text, const std::string& name);

// The same of a file. Errors name it, as those of ReadOptions.
absl::StatusOr<YamlKeys> ReadYamlKeys(const std::string& path, size_t max_bytes = 1 << 20);

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_YAML_KEYS_H_
