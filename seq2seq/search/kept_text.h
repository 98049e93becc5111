// Text of a source that its translation keeps as it is, by regular expressions.
#ifndef SEQ2SEQ_SEARCH_KEPT_TEXT_H_
#define SEQ2SEQ_SEARCH_KEPT_TEXT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace seq2seq {

// Compiled SearchOptions::keep. A value; copies share the expressions. Thread-safe.
class KeptText {
 public:
  // InvalidArgument, naming the expression, if one is invalid or too large.
  static absl::StatusOr<KeptText> Compile(const std::vector<std::string>& expressions);

  // What the expressions match in a source, in the order of expressions and then of the text, each
  // once, and at most `most`; blank matches do not count. Reads at most `max_bytes` of the source,
  // from its beginning, as often as there are matches.
  std::vector<std::string> Find(absl::string_view source, size_t most, size_t max_bytes) const;

  bool empty() const { return expressions_.empty(); }

 private:
  std::vector<std::shared_ptr<const re2::RE2>> expressions_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_KEPT_TEXT_H_
