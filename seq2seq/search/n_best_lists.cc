#include "seq2seq/search/n_best_lists.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numeric>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

// So that sums and products of features are numbers, too.
constexpr double kLargest = 1e9;

bool ReadNumber(absl::string_view text, double& value) {
  return absl::SimpleAtod(text, &value) && std::abs(value) <= kLargest;
}

// A line of the file.
struct NBestLine {
  int64_t sentence = 0;
  std::vector<std::string> names;
  NBestEntry entry;
};

absl::StatusOr<NBestLine> ParseNBestLine(const std::string& line) {
  constexpr absl::string_view kBar = " ||| ";
  const absl::string_view all = line;
  // The translation may contain bars.
  const size_t first = all.find(kBar), last = all.rfind(kBar);
  const size_t middle =
      last == 0 || last == absl::string_view::npos ? last : all.rfind(kBar, last - 1);
  std::vector<std::string> fields;
  if (first < middle && middle < last && last != absl::string_view::npos) {
    fields = {std::string(all.substr(0, first)),
              std::string(all.substr(first + kBar.size(), middle - first - kBar.size())),
              std::string(all.substr(middle + kBar.size(), last - middle - kBar.size())),
              std::string(all.substr(last + kBar.size()))};
  }
  NBestLine parsed;
  if (fields.size() != 4 || !absl::SimpleAtoi(fields[0], &parsed.sentence) ||
      !ReadNumber(fields[3], parsed.entry.score)) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected sentence ||| translation ||| name= value … ||| score, found '",
                     line.substr(0, 100), "'"));
  }
  parsed.entry.text = fields[1];
  for (const absl::string_view part : absl::StrSplit(fields[2], ' ', absl::SkipEmpty())) {
    double value = 0;
    if (absl::EndsWith(part, "=")) {
      parsed.names.emplace_back(part.substr(0, part.size() - 1));
    } else if (parsed.names.size() == parsed.entry.features.size() + 1 && ReadNumber(part, value)) {
      parsed.entry.features.push_back(value);
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("expected features as logprob= -2.1, found '", part, "'"));
    }
  }
  if (parsed.names.size() == parsed.entry.features.size()) return parsed;
  return absl::InvalidArgumentError(
      absl::StrCat("the feature '", parsed.names.back(), "' has no value"));
}

}  // namespace

absl::StatusOr<NBestLists> NBestLists::Read(const std::string& path) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<LineReader> reader, LineReader::Open(path));
  NBestLists all;
  std::string line;
  while (true) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const bool more, reader->Next(line));
    if (!more) break;
    const auto wrong = [&](absl::string_view what) {
      return absl::InvalidArgumentError(
          absl::StrCat(reader->path(), ":", reader->line_number(), ": ", what));
    };
    absl::StatusOr<NBestLine> parsed = ParseNBestLine(line);
    if (!parsed.ok()) return wrong(parsed.status().message());
    if (all.lists.empty()) all.names = parsed->names;
    if (parsed->names != all.names) return wrong("the first line has other features");
    if (all.lists.empty() || parsed->sentence != all.lists.back().sentence) {
      if (!all.lists.empty() && parsed->sentence < all.lists.back().sentence)
        return wrong("expected sentences in their order");
      all.lists.push_back({parsed->sentence, {}});
    }
    all.lists.back().entries.push_back(std::move(parsed->entry));
  }
  if (!all.lists.empty()) return all;
  return absl::InvalidArgumentError(absl::StrCat(reader->path(), ": has no n-best lists"));
}

std::string NBestLists::Text(const NBestList& list) const {
  std::string text;
  for (const NBestEntry& entry : list.entries) {
    absl::StrAppend(&text, list.sentence, " ||| ", entry.text, " |||");
    for (size_t i = 0; i < names.size(); ++i)
      absl::StrAppendFormat(&text, " %s= %.6f", names[i], entry.features[i]);
    absl::StrAppendFormat(&text, " ||| %.6f\n", entry.score);
  }
  return text;
}

absl::Status NBestLists::AddFeature(const std::string& name, const std::vector<double>& values) {
  if (std::find(names.begin(), names.end(), name) != names.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the n-best lists have a feature '", name, "' already"));
  }
  names.push_back(name);
  auto value = values.begin();
  for (NBestList& list : lists) {
    for (NBestEntry& entry : list.entries) entry.features.push_back(*value++);
  }
  return absl::OkStatus();
}

void NBestLists::Rank(const std::vector<double>& weights) {
  for (NBestList& list : lists) {
    for (NBestEntry& entry : list.entries) {
      entry.score = std::inner_product(weights.begin(), weights.end(), entry.features.begin(), 0.0);
    }
    std::stable_sort(list.entries.begin(), list.entries.end(),
                     [](const NBestEntry& a, const NBestEntry& b) { return a.score > b.score; });
  }
}

int64_t NBestLists::size() const {
  int64_t size = 0;
  for (const NBestList& list : lists) size += static_cast<int64_t>(list.entries.size());
  return size;
}

}  // namespace seq2seq
