#include "seq2seq/weights/parameter_table.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "seq2seq/base/utf8.h"

namespace seq2seq {
namespace {

// Whether `module` has submodules with parameters.
bool HasParts(const std::string& module, const ArrayMap& parameters) {
  return std::any_of(parameters.begin(), parameters.end(), [&](const auto& parameter) {
    return absl::StartsWith(ModuleOf(parameter.first), module + ".");
  });
}

}  // namespace

std::string Grouped(int64_t number) {
  const std::string digits = absl::StrCat(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string ModuleOf(const std::string& parameter) {
  const size_t dot = parameter.rfind('.');
  return dot == std::string::npos ? "" : parameter.substr(0, dot);
}

std::string ParameterTable(const ArrayMap& parameters) {
  size_t width = 9;
  for (const auto& [name, array] : parameters) width = std::max(width, Printable(name).size());
  std::string table;
  const auto add = [&](const std::string& what, const std::string& shape,
                       const std::string& count) {
    absl::StrAppendFormat(&table, "  %-*s  %18s  %14s\n", width, what, shape, count);
  };
  add("parameter", "shape", "count");
  std::string module;
  int64_t of_module = 0, total = 0;
  const auto add_sum = [&] {
    const char* part = HasParts(module, parameters) ? ", its own" : "";
    if (of_module > 0) add(absl::StrCat("= ", Printable(module), part), "", Grouped(of_module));
    of_module = 0;
  };
  for (const auto& [name, array] : parameters) {
    if (ModuleOf(name) != module) add_sum();
    module = ModuleOf(name);
    of_module += array.size();
    total += array.size();
    add(Printable(name), ShapeText(array.shape), Grouped(array.size()));
  }
  add_sum();
  add("total", "", Grouped(total));
  return table;
}

}  // namespace seq2seq
