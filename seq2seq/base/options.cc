#include "seq2seq/base/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include <yaml-cpp/yaml.h>

#include "seq2seq/base/closest.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/utf8.h"

namespace seq2seq {
namespace {

// std::visit with a function per type.
template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

// The shortest text that reads back as the same number.
std::string NumberText(double number) {
  char buffer[32];
  const auto end = std::to_chars(std::begin(buffer), std::end(buffer), number).ptr;
  return std::string(buffer, end);
}

std::string TypeText(const Option& option) {
  return std::visit(Overloaded{
                        [](bool*) -> std::string { return "true or false"; },
                        [](int64_t*) -> std::string { return "integer"; },
                        [](double*) -> std::string { return "number"; },
                        [](std::string*) -> std::string { return "text"; },
                        [](std::vector<std::string>*) -> std::string { return "list of texts"; },
                        [](std::vector<double>*) -> std::string { return "list of numbers"; },
                        [](const EnumField& field) { return absl::StrJoin(field.texts, "|"); },
                        [](const TextField& field) { return field.wanted; },
                    },
                    option.value);
}

// Appends the text of a YAML node to `text`, until that is long enough. With aliases the text of a
// small file may be arbitrarily long, or infinite.
void AddNodeText(const YAML::Node& node, size_t enough, std::string& text) {
  if (text.size() >= enough) return;
  const bool is_map = node.IsMap();
  if (!is_map && !node.IsSequence()) {
    absl::StrAppend(&text, node.IsScalar() ? node.Scalar() : "~");
    return;
  }
  text += is_map ? "{" : "[";
  const size_t begin = text.size();
  for (const auto& entry : node) {
    if (text.size() >= enough) return;
    if (text.size() > begin) text += ", ";
    AddNodeText(is_map ? entry.first : entry, enough, text);
    if (is_map) text += ": ";
    if (is_map) AddNodeText(entry.second, enough, text);
  }
  text += is_map ? "}" : "]";
}

// The text of a YAML node on one line, for messages.
std::string NodeText(const YAML::Node& node) {
  constexpr size_t kEnough = 200;
  std::string text;
  AddNodeText(node, kEnough, text);
  if (text.size() > kEnough) text = RepairUtf8(text.substr(0, kEnough)) + "…";
  return absl::StrReplaceAll(text, {{"\n", "\\n"}});
}

// Sets `number` from `node`; false if that is not a finite number.
bool AssignNumber(const YAML::Node& node, double& number) {
  double value = 0;
  if (!node.IsScalar() || !absl::SimpleAtod(node.Scalar(), &value)) return false;
  if (!std::isfinite(value)) return false;
  number = value;
  return true;
}

// Sets `option` from `node`; false if the types differ.
bool Assign(const YAML::Node& node, const Option& option) {
  return std::visit(
      Overloaded{
          [&](bool* field) {
            if (!node.IsScalar() || (node.Scalar() != "true" && node.Scalar() != "false"))
              return false;
            *field = node.Scalar() == "true";
            return true;
          },
          [&](int64_t* field) { return node.IsScalar() && absl::SimpleAtoi(node.Scalar(), field); },
          [&](double* field) { return AssignNumber(node, *field); },
          [&](std::string* field) {
            if (!node.IsScalar() && !node.IsNull()) return false;
            *field = node.IsNull() ? "" : node.Scalar();
            return true;
          },
          [&](std::vector<std::string>* field) {
            if (node.IsScalar()) {  // A list of one.
              *field = {node.Scalar()};
              return true;
            }
            if (!node.IsSequence()) return false;
            std::vector<std::string> items;
            for (const YAML::Node& item : node) {
              if (!item.IsScalar()) return false;
              items.push_back(item.Scalar());
            }
            *field = std::move(items);
            return true;
          },
          [&](std::vector<double>* field) {
            if (!node.IsSequence()) return false;
            std::vector<double> items;
            for (const YAML::Node& item : node) {
              if (!AssignNumber(item, items.emplace_back())) return false;
            }
            *field = std::move(items);
            return true;
          },
          [&](const EnumField& field) {
            if (!node.IsScalar()) return false;
            const auto found = std::find(field.texts.begin(), field.texts.end(), node.Scalar());
            if (found == field.texts.end()) return false;
            field.set(static_cast<size_t>(found - field.texts.begin()));
            return true;
          },
          [&](const TextField& field) { return node.IsScalar() && field.set(node.Scalar()); },
      },
      option.value);
}

// "unknown key 'model.hiden'; did you mean 'model.hidden'?"
std::string UnknownKey(absl::string_view key, const OptionList& options) {
  std::set<std::string> known;  // Keys and sections.
  for (const Option& option : options) {
    for (size_t end = 0; end != std::string::npos;) {
      end = option.key.find('.', end + 1);
      known.insert(option.key.substr(0, end));
    }
  }
  return absl::StrCat("unknown key '", key, "'", DidYouMean(key, {known.begin(), known.end()}));
}

// Traverses a YAML tree and sets the options that it names.
class Reader {
 public:
  Reader(const OptionList& options, OtherSections others) : options_(options), others_(others) {}

  // `place` is the file of `node`, for messages.
  absl::Status ReadMap(const YAML::Node& node, const std::string& prefix,
                       const std::string& place) {
    for (const auto& entry : node) {
      const std::string where = absl::StrCat(place, ":", entry.first.Mark().line + 1, ": ");
      const std::string key = prefix + NodeText(entry.first);
      if (prefix.empty() && others_ == OtherSections::kIgnored && !IsKnown(key)) continue;
      const auto [seen, is_new] = seen_.emplace(PresentKey(key), key);
      if (!is_new) {
        return absl::InvalidArgumentError(
            absl::StrCat(where, "key '", key, "' is given twice",
                         seen->second == key ? "" : ", also as '" + seen->second + "'"));
      }
      if (IsSection(key) && (entry.second.IsMap() || entry.second.IsNull())) {
        SEQ2SEQ_RETURN_IF_ERROR(ReadMap(entry.second, key + ".", place));
      } else {
        SEQ2SEQ_RETURN_IF_ERROR(ReadValue(entry.second, key, where));
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadValue(const YAML::Node& node, absl::string_view key, const std::string& where) {
    const std::string present = PresentKey(key);
    for (const Option& option : options_) {
      if (option.key != present) continue;
      if (Assign(node, option)) return absl::OkStatus();
      return absl::InvalidArgumentError(absl::StrCat(where, key, ": expected ", TypeText(option),
                                                     ", found '", NodeText(node), "'"));
    }
    if (IsSection(key)) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, key, ": expected keys below it, found '", NodeText(node), "'"));
    }
    return absl::InvalidArgumentError(absl::StrCat(where, UnknownKey(key, options_)));
  }

  // Whether `key` is that of an option, by its present or former name, or of a section of options.
  bool IsKnown(absl::string_view key) const {
    return IsSection(key) ||
           std::any_of(options_.begin(), options_.end(),
                       [&](const Option& option) { return option.key == PresentKey(key); });
  }

 private:
  // The key itself, or what it is called now.
  std::string PresentKey(absl::string_view key) const {
    for (const Option& option : options_) {
      if (!option.former_key.empty() && option.former_key == key) return option.key;
    }
    return std::string(key);
  }

  bool IsSection(absl::string_view key) const {
    return std::any_of(options_.begin(), options_.end(), [&](const Option& option) {
      return absl::StartsWith(option.key, absl::StrCat(key, "."));
    });
  }

  const OptionList& options_;
  const OtherSections others_;
  std::map<std::string, std::string> seen_;  // Present keys, and how the file names them.
};

void Emit(const Option& option, YAML::Emitter& emitter) {
  std::visit(Overloaded{
                 [&](bool* field) { emitter << *field; },
                 [&](int64_t* field) { emitter << *field; },
                 [&](double* field) { emitter << NumberText(*field); },
                 [&](std::string* field) { emitter << *field; },
                 [&](std::vector<std::string>* field) { emitter << YAML::Flow << *field; },
                 [&](std::vector<double>* field) {
                   emitter << YAML::Flow << YAML::BeginSeq;
                   for (const double number : *field) emitter << NumberText(number);
                   emitter << YAML::EndSeq;
                 },
                 [&](const EnumField& field) { emitter << field.texts[field.get()]; },
                 [&](const TextField& field) { emitter << field.get(); },
             },
             option.value);
}

// Calls `use` with the text of a YAML file and its root, a map or null.
absl::Status UseFile(
    const std::string& path, size_t max_bytes,
    const std::function<absl::Status(const std::string& text, const YAML::Node& root)>& use) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, max_bytes));
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull() || root.IsMap()) return use(text, root);
    return absl::InvalidArgumentError(absl::StrCat(path, ": expected 'key: value' lines"));
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ":", error.mark.line + 1, ": ", error.msg));
  }
}

// The lines of `text` from each line in `is_begin` whose value is true to the next one.
std::string LinesOfSections(const std::string& text, const std::map<size_t, bool>& is_begin) {
  std::string lines;
  bool taken = false;
  size_t number = 0;
  for (const absl::string_view line : absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    if (const auto begun = is_begin.find(number++); begun != is_begin.end()) taken = begun->second;
    if (taken) absl::StrAppend(&lines, line, "\n");
  }
  return lines;
}

}  // namespace

absl::Status ReadOptions(const std::string& path, const OptionList& options, OtherSections others,
                         size_t max_bytes) {
  return UseFile(path, max_bytes, [&](const std::string&, const YAML::Node& root) {
    return Reader(options, others).ReadMap(root, "", path);
  });
}

absl::StatusOr<std::string> ReadOtherSections(const std::string& path, const OptionList& options,
                                              size_t max_bytes) {
  const Reader reader(options, OtherSections::kIgnored);
  std::string lines;
  SEQ2SEQ_RETURN_IF_ERROR(
      UseFile(path, max_bytes, [&](const std::string& text, const YAML::Node& root) {
        std::map<size_t, bool> is_other;  // By the lines at which the sections begin.
        bool in_lines = true, any = false;
        for (const auto& entry : root) {
          const YAML::Mark begin = entry.first.Mark();
          const bool other = !reader.IsKnown(NodeText(entry.first));
          const bool is_new = is_other.emplace(begin.line, other).second;
          in_lines = in_lines && is_new && begin.column == 0;
          any = any || other;
        }
        if (any && !in_lines) {
          return absl::InvalidArgumentError(
              absl::StrCat(path, ": expected each section to begin a line"));
        }
        lines = LinesOfSections(text, is_other);
        return absl::OkStatus();
      }));
  return lines;
}

absl::Status SetOption(absl::string_view assignment, const OptionList& options) {
  const size_t equals = assignment.find('=');
  if (equals == absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("expected key=value, found '", assignment, "'"));
  }
  const absl::string_view key = assignment.substr(0, equals);
  try {
    const YAML::Node value = YAML::Load(std::string(assignment.substr(equals + 1)));
    return Reader(options, OtherSections::kRefused).ReadValue(value, key, "");
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(key, ": ", error.msg));
  }
}

std::string PrintOptions(const OptionList& options) {
  YAML::Emitter emitter;
  emitter << YAML::BeginMap;
  std::vector<std::string> open;  // The sections that are open.
  for (const Option& option : options) {
    std::vector<std::string> path = absl::StrSplit(option.key, '.');
    const std::string name = path.back();
    path.pop_back();
    const auto common =
        std::mismatch(open.begin(), open.end(), path.begin(), path.end()).first - open.begin();
    for (; open.size() > static_cast<size_t>(common); open.pop_back()) emitter << YAML::EndMap;
    for (; open.size() < path.size(); open.push_back(path[open.size()])) {
      emitter << YAML::Key << path[open.size()] << YAML::Value << YAML::BeginMap;
    }
    emitter << YAML::Key << name << YAML::Value;
    Emit(option, emitter);
    if (!option.help.empty()) emitter << YAML::Comment(option.help);
  }
  for (; !open.empty(); open.pop_back()) emitter << YAML::EndMap;
  emitter << YAML::EndMap;
  return absl::StrCat(emitter.c_str(), "\n");
}

std::string DescribeOptions(const OptionList& options) {
  std::string text;
  for (const Option& option : options) {
    absl::StrAppend(&text, "  ", option.key, " = ", OptionText(option), "  (", TypeText(option),
                    ")\n      ", option.help, "\n");
  }
  return text;
}

std::string OptionText(const Option& option) {
  YAML::Emitter emitter;
  Emit(option, emitter);
  return emitter.c_str();
}

}  // namespace seq2seq
