// Conversion between enum values and their texts, for enums with a function EnumTexts that lists
// the texts in the order of the values.
#ifndef SEQ2SEQ_BASE_ENUM_TEXT_H_
#define SEQ2SEQ_BASE_ENUM_TEXT_H_

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace seq2seq {

template <typename Enum>
std::string EnumText(Enum value) {
  return EnumTexts(value)[static_cast<size_t>(value)];
}

// nullopt if no value has this text.
template <typename Enum>
std::optional<Enum> EnumFromText(const std::string& text) {
  const std::vector<std::string> texts = EnumTexts(Enum());
  const auto found = std::find(texts.begin(), texts.end(), text);
  if (found == texts.end()) return std::nullopt;
  return static_cast<Enum>(found - texts.begin());
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_ENUM_TEXT_H_
