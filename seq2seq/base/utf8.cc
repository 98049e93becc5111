#include "seq2seq/base/utf8.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <utf8proc.h>

namespace seq2seq {
namespace {

// Bytes of the well-formed sequence at the beginning of `text`; 0 if there is none.
size_t SequenceLength(absl::string_view text) {
  utf8proc_int32_t code_point;
  const utf8proc_ssize_t length =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                       static_cast<utf8proc_ssize_t>(text.size()), &code_point);
  return length > 0 ? static_cast<size_t>(length) : 0;
}

struct Character {
  utf8proc_int32_t code_point = 0;
  absl::string_view bytes;
};

// Removes and returns the first character of `text`, which is UTF-8.
Character TakeCharacter(absl::string_view& text) {
  Character character;
  const utf8proc_ssize_t length =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                       static_cast<utf8proc_ssize_t>(text.size()), &character.code_point);
  character.bytes = text.substr(0, length > 0 ? static_cast<size_t>(length) : 1);
  text.remove_prefix(character.bytes.size());
  return character;
}

}  // namespace

bool IsValidUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string RepairUtf8(absl::string_view text) {
  std::string repaired;
  repaired.reserve(text.size());
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    repaired += length == 0 ? "\uFFFD" : std::string(text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return repaired;
}

bool IsBlank(absl::string_view text) {
  while (!text.empty()) {
    switch (utf8proc_category(TakeCharacter(text).code_point)) {
      case UTF8PROC_CATEGORY_CC:
      case UTF8PROC_CATEGORY_CF:
      case UTF8PROC_CATEGORY_ZS:
      case UTF8PROC_CATEGORY_ZL:
      case UTF8PROC_CATEGORY_ZP:
        break;
      default:
        return false;
    }
  }
  return true;
}

std::string Printable(absl::string_view text, absl::string_view kept) {
  std::string printable;
  const std::string repaired = RepairUtf8(text);
  for (absl::string_view rest = repaired; !rest.empty();) {
    const Character next = TakeCharacter(rest);
    if (utf8proc_category(next.code_point) == UTF8PROC_CATEGORY_CC &&
        !absl::StrContains(kept, next.bytes)) {
      absl::StrAppend(&printable, "\\x", absl::Hex(next.code_point, absl::kZeroPad2));
    } else {
      absl::StrAppend(&printable, next.bytes);
    }
  }
  return printable;
}

}  // namespace seq2seq
