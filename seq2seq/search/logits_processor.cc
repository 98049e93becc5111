#include "seq2seq/search/logits_processor.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "seq2seq/search/forbidden_words.h"
#include "seq2seq/search/vocabulary.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

void Forbid(const ScoreRow& row, int32_t token) {
  if (float* score = row.Find(token)) *score = kNever;
}

}  // namespace

LogitsProcessor::LogitsProcessor(const SearchOptions& options, const SearchTask& task)
    : options_(options), task_(task) {
  size_t needed = task.prefix.size();
  for (const TokenIds& constraint : task.constraints) needed += constraint.size();
  max_length_ = std::max(task.max_length, static_cast<int64_t>(needed));
}

std::optional<int32_t> LogitsProcessor::Forced(int64_t length) const {
  if (length < static_cast<int64_t>(task_.prefix.size())) {
    return task_.prefix[static_cast<size_t>(length)];
  }
  if (length >= max_length()) return kEosId;
  return std::nullopt;
}

bool LogitsProcessor::Bars(const TokenIds& generated, int32_t token) const {
  const bool inside_prefix = task_.whole_prefix && generated.size() == task_.prefix.size() &&
                             task_.vocabulary->InOneWord(generated.back(), token);
  return inside_prefix ||
         (task_.forbidden != nullptr &&
          task_.forbidden->Bars(generated, task_.prefix.size(), IsLast(generated), token));
}

void LogitsProcessor::Apply(const TokenIds& generated, const ScoreRow& row) const {
  for (const int32_t token : {kPadId, kBosId}) Forbid(row, token);
  if (!options_.replace_unknown) Forbid(row, kUnknownId);
  if (static_cast<int64_t>(generated.size()) < task_.min_length) Forbid(row, kEosId);
  if (task_.whole_prefix && generated.size() == task_.prefix.size()) {
    for (size_t column = 0; column < row.scores.size(); ++column) {
      if (task_.vocabulary->InOneWord(generated.back(), row.Token(column)))
        row.scores[column] = kNever;
    }
  }
  if (task_.forbidden != nullptr) {
    // If there is no room, or no other hypothesis to fall back on.
    const bool at_once = options_.sample || options_.beam == options_.groups || IsLast(generated);
    task_.forbidden->Apply(generated, task_.prefix.size(), at_once, row);
  }
  const auto n = static_cast<size_t>(options_.no_repeat_ngram);
  if (n > 0 && generated.size() >= n) {
    const auto last = generated.end() - static_cast<std::ptrdiff_t>(n - 1);
    for (auto begin = generated.begin(); begin + static_cast<std::ptrdiff_t>(n) <= generated.end();
         ++begin) {
      if (std::equal(last, generated.end(), begin))
        Forbid(row, begin[static_cast<std::ptrdiff_t>(n - 1)]);
    }
  }
  if (options_.repetition_penalty == 1) return;
  const auto penalty = static_cast<float>(options_.repetition_penalty);
  for (auto token = generated.begin(); token != generated.end(); ++token) {
    if (std::find(generated.begin(), token, *token) != token) continue;  // Applied before.
    if (float* score = row.Find(*token)) {
      *score = row.normalizer + penalty * (*score - row.normalizer);
    }
  }
}

double LogitsProcessor::Penalty(const TokenIds& generated, int32_t token) const {
  if (options_.repetition_penalty == 1) return 1;
  const bool repeated = std::find(generated.begin(), generated.end(), token) != generated.end();
  return repeated ? options_.repetition_penalty : 1;
}

}  // namespace seq2seq
