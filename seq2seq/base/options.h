// Options as plain structs that list their fields once:
//
//   enum class CellKind { kLstm, kGru };
//   inline std::vector<std::string> EnumTexts(CellKind) { return {"lstm", "gru"}; }
//
//   struct CellOptions {
//     int64_t hidden = 512;
//     CellKind kind = CellKind::kLstm;
//
//     template <typename V>
//     void Visit(V&& visit) {
//       visit("hidden", hidden, "Size of the hidden state.");
//       visit("kind", kind, "Type of recurrent cell.");
//     }
//   };
//
// From that one list come the YAML file, `key=value` on the command line, the configuration stored
// with a model and the reference in --help. A field is a bool, int64_t, double, std::string,
// std::vector<std::string>, std::vector<double>, an enum with EnumTexts, a class with Text,
// FromText and kWanted, a description of its valid texts, or a struct with Visit. The default
// stands at the field, the help text with its meaning and when to change it in Visit.
//
// A key that is renamed keeps its former name as the last argument, since stored configurations
// live for years: visit("hidden", hidden, "Size of the hidden state.", /*former=*/"units"). Both
// are read, the present one is written.
#ifndef SEQ2SEQ_BASE_OPTIONS_H_
#define SEQ2SEQ_BASE_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seq2seq {

// A type-erased enum field: the index of its value in `texts`.
struct EnumField {
  std::function<size_t()> get;
  std::function<void(size_t)> set;
  std::vector<std::string> texts;
};

// A type-erased field of a class that is written as text.
struct TextField {
  std::function<std::string()> get;
  std::function<bool(const std::string&)> set;  // False if the text is invalid.
  std::string wanted;
};

// One field of an options struct, which must outlive it.
struct Option {
  std::string key;   // With the keys of the enclosing structs: "model.decoder.hidden".
  std::string help;  // Meaning, and when to change it.
  std::variant<bool*, int64_t*, double*, std::string*, std::vector<std::string>*,
               std::vector<double>*, EnumField, TextField>
      value;
  std::string former_key = "";  // Still read; empty if the key was never renamed.
};

using OptionList = std::vector<Option>;

// Lists the fields of `options` and of the structs inside it, in the order of Visit.
template <typename Options>
OptionList ListOptions(Options& options);

// How to read a file with top-level keys that belong to none of the options. A program that needs a
// model ignores them: the file may also configure its training, and hold sections of programs that
// the library does not know.
enum class OtherSections { kRefused, kIgnored };

// Sets options from a YAML file. An unknown key, a wrong type or a key that is repeated, also under
// its former name, is InvalidArgument with file, line, key and value. A file of more than
// `max_bytes` is InvalidArgument, too.
absl::Status ReadOptions(const std::string& path, const OptionList& options,
                         OtherSections others = OtherSections::kRefused,
                         size_t max_bytes = 1 << 20);

// The lines of the top-level sections of a YAML file that belong to none of the options, unchanged;
// empty if there are none. Appended to PrintOptions, they keep a file whole that is written anew.
// InvalidArgument if the file has such sections and one does not begin a line, as in {a: 1, b: 2},
// or is no YAML, or too large.
absl::StatusOr<std::string> ReadOtherSections(const std::string& path, const OptionList& options,
                                              size_t max_bytes = 1 << 20);

// Sets one option from "key=value", the value written as in YAML: "data.train=[a.en,a.de]".
absl::Status SetOption(absl::string_view assignment, const OptionList& options);

// The options as YAML, each with its help as a comment. ReadOptions reads it back to the same
// values.
std::string PrintOptions(const OptionList& options);

// The reference for --help: key, type and current value on one line, help below.
std::string DescribeOptions(const OptionList& options);

// The value of one option as PrintOptions writes it.
std::string OptionText(const Option& option);

// ---- Details of ListOptions.

namespace internal {

struct OptionLister {
  std::string prefix;
  OptionList& list;

  template <typename Field>
  void operator()(absl::string_view name, Field& field, absl::string_view help = "",
                  absl::string_view former = "") {
    const std::string key = prefix + std::string(name);
    const std::string former_key = former.empty() ? "" : prefix + std::string(former);
    if constexpr (std::is_enum_v<Field>) {
      list.push_back({key, std::string(help),
                      EnumField{[&field] { return static_cast<size_t>(field); },
                                [&field](size_t index) { field = static_cast<Field>(index); },
                                EnumTexts(field)},
                      former_key});
    } else if constexpr (requires { Field::FromText(std::string()); }) {
      list.push_back({key, std::string(help),
                      TextField{[&field] { return field.Text(); },
                                [&field](const std::string& text) {
                                  const auto value = Field::FromText(text);
                                  if (value) field = *value;
                                  return value.has_value();
                                },
                                Field::kWanted},
                      former_key});
    } else if constexpr (std::is_class_v<Field> &&
                         requires(OptionLister & lister) { field.Visit(lister); }) {
      field.Visit(OptionLister{key + ".", list});
    } else {
      list.push_back({key, std::string(help), &field, former_key});
    }
  }
};

}  // namespace internal

template <typename Options>
OptionList ListOptions(Options& options) {
  OptionList list;
  options.Visit(internal::OptionLister{"", list});
  return list;
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_OPTIONS_H_
