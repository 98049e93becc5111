// Keys of YAML files whose options are not known: to show or compare configurations.
#ifndef SEQ2SEQ_BASE_YAML_KEYS_H_
#define SEQ2SEQ_BASE_YAML_KEYS_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace seq2seq {

// All keys of a file in their order, with the text of their values: {"model.decoder.hidden",
// "512"},
// {"data.train", "[a.en, a.de]"}. Of what is nested deeper than options are, the text is "…".
// Errors name file and line, as those of ReadOptions.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadYamlKeys(
    const std::string& path, size_t max_bytes = 1 << 20);

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_YAML_KEYS_H_
