#include "seq2seq/search/batch_shortlist.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/algorithm/container.h"

namespace seq2seq {

BatchShortlist::BatchShortlist(std::vector<TokenIds> own, int64_t target_vocab,
                               const TailSample& tail)
    : own_(std::move(own)) {
  std::vector<bool> listed(static_cast<size_t>(target_vocab), false);
  bool complete = false;  // Whether a sentence needs all subwords.
  for (const TokenIds& tokens : own_) {
    complete = complete || tokens.empty();
    for (const int32_t token : tokens) listed[static_cast<size_t>(token)] = true;
  }
  for (const int32_t token : tail.tokens) listed[static_cast<size_t>(token)] = true;
  if (!complete) tokens_ = ListedTokens(listed);
  const auto is_all = [&](const TokenIds& tokens) {
    return tokens.empty() || tokens.size() == tokens_.size();
  };
  if (absl::c_all_of(own_, is_all)) return;
  std::vector<int32_t> column_of(listed.size());  // By token.
  for (size_t token = 0; token < column_of.size(); ++token)
    column_of[token] = static_cast<int32_t>(token);
  for (size_t column = 0; column < tokens_.size(); ++column)
    column_of[static_cast<size_t>(tokens_[column])] = static_cast<int32_t>(column);
  for (const TokenIds& tokens : own_) {
    std::vector<int32_t>& columns = columns_.emplace_back();
    for (const int32_t token : tokens) columns.push_back(column_of[static_cast<size_t>(token)]);
    std::vector<TailColumn>& of_tail = tails_.emplace_back();
    for (size_t i = 0; i < tail.tokens.size() && !tokens.empty(); ++i) {
      const int32_t token = tail.tokens[i];
      if (!absl::c_binary_search(tokens, token))
        of_tail.push_back({column_of[static_cast<size_t>(token)], tail.log_weights[i]});
    }
  }
}

}  // namespace seq2seq
