#include "seq2seq/weights/word_vectors.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

constexpr char kWordBegin[] = "\xe2\x96\x81";  // ▁

// The rows of the subwords that are words, by word.
absl::flat_hash_map<std::string, int64_t> RowsOf(absl::Span<const std::string> subwords) {
  const bool marked = std::any_of(subwords.begin(), subwords.end(), [](const std::string& subword) {
    return absl::StartsWith(subword, kWordBegin);
  });
  absl::flat_hash_map<std::string, int64_t> rows;
  for (size_t i = 0; i < subwords.size(); ++i) {
    absl::string_view word = subwords[i];
    const bool begins = absl::ConsumePrefix(&word, kWordBegin);
    if (begins == marked && !word.empty()) rows.emplace(word, static_cast<int64_t>(i));
  }
  return rows;
}

}  // namespace

absl::StatusOr<VectorCoverage> LoadWordVectors(const std::string& path,
                                               absl::Span<const std::string> subwords,
                                               Matrix weight) {
  const auto rows = RowsOf(subwords);
  const auto size = static_cast<size_t>(weight.columns);
  VectorCoverage coverage;
  coverage.subwords = static_cast<int64_t>(rows.size());
  std::vector<bool> filled(subwords.size(), false);
  // Enough for a long word and the numbers.
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<LineReader> reader,
                           LineReader::Open(path, 10'000 + 100 * size));
  std::string line;
  std::vector<float> numbers(size);
  while (true) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const bool more, reader->Next(line));
    if (!more) break;
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (reader->line_number() == 1 && fields.size() == 2 && size > 1) continue;  // The counts.
    const auto mistake = [&](const std::string& found) {
      return absl::InvalidArgumentError(absl::StrCat(path, ":", reader->line_number(),
                                                     ": expected a word and ", size,
                                                     " numbers, found ", found));
    };
    // Words may contain spaces, except the first, whose line shows how many numbers there are.
    const bool fits = coverage.words > 0 ? fields.size() > size : fields.size() == size + 1;
    if (!fits) return mistake(absl::StrCat(fields.size(), " fields"));
    ++coverage.words;
    const auto texts = absl::MakeConstSpan(fields).last(size);
    const absl::string_view word = absl::StripAsciiWhitespace(
        absl::string_view(line).substr(0, static_cast<size_t>(texts[0].data() - line.data())));
    const auto row = rows.find(word);
    if (row == rows.end() || filled[static_cast<size_t>(row->second)]) continue;
    for (size_t i = 0; i < size; ++i) {
      if (!absl::SimpleAtof(texts[i], &numbers[i]) || !std::isfinite(numbers[i]))
        return mistake(absl::StrCat("'", texts[i], "'"));
    }
    std::copy(numbers.begin(), numbers.end(), weight.row(row->second));
    filled[static_cast<size_t>(row->second)] = true;
    ++coverage.found;
  }
  return coverage;
}

}  // namespace seq2seq
