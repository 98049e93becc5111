#include "seq2seq/search/token_rules.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

void Forbid(const ScoreRow& row, int32_t token) {
  if (float* score = row.Find(token)) *score = -std::numeric_limits<float>::infinity();
}

// Whether `said` ends with the first `count` tokens of `sequence`.
bool EndsWith(const TokenIds& said, const TokenIds& sequence, size_t count) {
  return said.size() >= count &&
         std::equal(sequence.begin(), sequence.begin() + static_cast<std::ptrdiff_t>(count),
                    said.end() - static_cast<std::ptrdiff_t>(count));
}

}  // namespace

std::optional<int32_t> TokenRules::Forced(int64_t length) const {
  if (length < static_cast<int64_t>(task_.prefix.size())) {
    return task_.prefix[static_cast<size_t>(length)];
  }
  if (length >= max_length()) return kEosId;
  return std::nullopt;
}

void TokenRules::Apply(const TokenIds& said, const ScoreRow& row) const {
  for (const int32_t token : {kPadId, kUnknownId, kBosId}) Forbid(row, token);
  if (static_cast<int64_t>(said.size()) < task_.min_length) Forbid(row, kEosId);
  for (const TokenIds& sequence : task_.forbidden) {
    if (!sequence.empty() && EndsWith(said, sequence, sequence.size() - 1)) {
      Forbid(row, sequence.back());
    }
  }
  const auto n = static_cast<size_t>(options_.no_repeat_ngram);
  if (n > 0 && said.size() >= n) {
    const auto last = said.end() - static_cast<std::ptrdiff_t>(n - 1);
    for (auto begin = said.begin(); begin + static_cast<std::ptrdiff_t>(n) <= said.end(); ++begin) {
      if (std::equal(last, said.end(), begin))
        Forbid(row, begin[static_cast<std::ptrdiff_t>(n - 1)]);
    }
  }
  if (options_.repetition_penalty == 1) return;
  const auto penalty = static_cast<float>(options_.repetition_penalty);
  for (auto token = said.begin(); token != said.end(); ++token) {
    if (std::find(said.begin(), token, *token) != token) continue;  // Once is enough.
    if (float* score = row.Find(*token)) {
      *score = row.normalizer + penalty * (*score - row.normalizer);
    }
  }
}

double TokenRules::Penalty(const TokenIds& said, int32_t token) const {
  if (options_.repetition_penalty == 1) return 1;
  const bool repeated = std::find(said.begin(), said.end(), token) != said.end();
  return repeated ? options_.repetition_penalty : 1;
}

int64_t TokenRules::max_length() const {
  size_t needed = task_.prefix.size();
  for (const TokenIds& constraint : task_.constraints) needed += constraint.size();
  return std::max(task_.max_length, static_cast<int64_t>(needed));
}

}  // namespace seq2seq
