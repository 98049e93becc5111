#include "seq2seq/base/yaml_keys.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include <yaml-cpp/yaml.h>

#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

// With aliases, a small file may describe a huge or infinite tree: deeper parts are not entered.
constexpr int64_t kDeepest = 6;
constexpr char kDeeper[] = "…";

std::string ItemText(const YAML::Node& node) {
  if (node.IsNull()) return "";
  return node.IsScalar() ? node.Scalar() : kDeeper;
}

std::string ValueText(const YAML::Node& node) {
  if (!node.IsSequence()) return ItemText(node);
  std::string text = "[";
  for (const YAML::Node& item : node)
    absl::StrAppend(&text, text.size() > 1 ? ", " : "", ItemText(item));
  return text + "]";
}

void AddKeys(const YAML::Node& map, const std::string& prefix, YamlKeys& keys) {
  for (const auto& entry : map) {
    const std::string key = prefix + ItemText(entry.first);
    if (entry.second.IsMap() && std::count(key.begin(), key.end(), '.') < kDeepest) {
      AddKeys(entry.second, key + ".", keys);
    } else {
      keys.emplace_back(key, ValueText(entry.second));
    }
  }
}

}  // namespace

absl::StatusOr<YamlKeys> ParseYamlKeys(const std::string& text, const std::string& name) {
  YamlKeys keys;
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsNull() && !root.IsMap())
      return absl::InvalidArgumentError(absl::StrCat(name, ": expected 'key: value' lines"));
    AddKeys(root, "", keys);
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ":", error.mark.line + 1, ": ", error.msg));
  }
  return keys;
}

absl::StatusOr<YamlKeys> ReadYamlKeys(const std::string& path, size_t max_bytes) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, max_bytes));
  return ParseYamlKeys(text, path);
}

}  // namespace seq2seq
