#include "seq2seq/search/sentence_beam.h"

#include <algorithm>
#include <utility>

#include "seq2seq/search/ranking.h"
#include "seq2seq/search/top_k.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

// Below any sum of log-probabilities, yet finite: for a forced token that a scorer rules out.
constexpr double kAtLast = -1e30;

bool IsBetter(const Continuation& a, const Continuation& b) {
  if (a.total != b.total) return a.total > b.total;
  return a.row != b.row ? a.row < b.row : a.token < b.token;
}

// Keeps the best `count`, best first.
void KeepBest(std::vector<Continuation>& continuations, size_t count) {
  const size_t kept = std::min(count, continuations.size());
  std::partial_sort(continuations.begin(),
                    continuations.begin() + static_cast<std::ptrdiff_t>(kept), continuations.end(),
                    IsBetter);
  continuations.resize(kept);
}

}  // namespace

SentenceBeam::SentenceBeam(const SearchOptions& options, const SearchTask& task)
    : options_(options),
      task_(task),
      rules_(options, task),
      constraints_(std::make_unique<Constraints>(task.constraints, task.vocabulary)) {
  for (size_t group = 0; group < static_cast<size_t>(options.groups); ++group) {
    live_.push_back(
        {PartialHypothesis(options, task), ConstraintProgress(*constraints_), group, /*parent=*/0});
  }
  finished_of_.resize(live_.size());
}

bool SentenceBeam::IsAllowed(const Live& live, int32_t token) const {
  if (constraints_->size() == 0) return true;
  if (token == kEosId) return live.progress.missing() == 0;
  // Room must be left for the missing tokens.
  return live.progress.MissingAfter(token) < rules_.max_length() - length();
}

std::vector<Continuation> SentenceBeam::Expand(size_t row, const ScoreRow& scores) const {
  const Live& live = live_[row];
  std::vector<Continuation> found;
  const auto add = [&](int32_t token, double score) {
    found.push_back({row, token, score, live.hypothesis.total() + score});
  };
  const auto score_of = [&](int32_t token) {
    const float* score = scores.Find(token);
    if (score == nullptr) return kAtLast;
    return std::max(rules_.Penalty(live.hypothesis.generated(), token) *
                        static_cast<double>(*score - scores.normalizer),
                    kAtLast);
  };
  if (const auto forced = rules_.Forced(length())) {
    add(*forced, score_of(*forced));
    return found;
  }
  // Tokens of constraints may break other rules.
  const TokenIds needed = live.progress.missing() > 0 ? live.progress.Needed() : TokenIds();
  for (const int32_t token : needed) {
    if (IsAllowed(live, token) && !rules_.Bars(live.hypothesis.generated(), token))
      add(token, score_of(token));
  }
  rules_.Apply(live.hypothesis.generated(), scores);
  // Each row has only one continuation that ends, so twice the width always holds enough that do
  // not; tokens that earlier groups chose may drop out.
  size_t count = 2 * width();
  if (options_.groups > 1) count += static_cast<size_t>(options_.beam);
  for (const ScoredColumn& best : TopK(scores.scores, count)) {
    const int32_t token = scores.Token(best.column);
    if (std::binary_search(needed.begin(), needed.end(), token) || !IsAllowed(live, token))
      continue;
    add(token, static_cast<double>(best.score - scores.normalizer));
  }
  return found;
}

std::vector<Continuation> SentenceBeam::BestOfGroup(
    size_t group, absl::Span<const std::vector<Continuation>> continuations,
    const std::map<int32_t, int>& before) const {
  std::vector<Continuation> best;
  for (size_t row = 0; row < live_.size(); ++row) {
    if (live_[row].group != group) continue;
    best.insert(best.end(), continuations[row].begin(), continuations[row].end());
  }
  if (before.empty()) {
    KeepBest(best, 2 * width());
    return best;
  }
  for (Continuation& continuation : best) {
    const auto chosen = before.find(continuation.token);
    if (chosen != before.end()) continuation.total -= options_.diversity * chosen->second;
  }
  KeepBest(best, 2 * width());
  // The penalty affects the choice, but not the score.
  for (Continuation& continuation : best)
    continuation.total = live_[continuation.row].hypothesis.total() + continuation.score;
  return best;
}

std::vector<Continuation> SentenceBeam::BestOfBanks(
    absl::Span<const std::vector<Continuation>> continuations) const {
  std::vector<std::vector<Continuation>> banks(static_cast<size_t>(constraints_->size()) + 1);
  for (const std::vector<Continuation>& of_row : continuations) {
    for (const Continuation& continuation : of_row) {
      const ConstraintProgress& progress = live_[continuation.row].progress;
      const int64_t missing = continuation.token == kEosId
                                  ? progress.missing()
                                  : progress.MissingAfter(continuation.token);
      banks[static_cast<size_t>(constraints_->size() - missing)].push_back(continuation);
    }
  }
  // Banks with most met tokens first: what one leaves goes to those below, then to those above.
  std::vector<size_t> taken(banks.size(), 0);
  size_t left = width();
  for (const bool share : {true, false}) {
    for (size_t bank = banks.size(); bank-- > 0 && left > 0;) {
      KeepBest(banks[bank], banks[bank].size());
      const size_t wanted = share ? std::max<size_t>(left / (bank + 1), 1) : left;
      const size_t more = std::min(wanted, banks[bank].size() - taken[bank]);
      taken[bank] += more;
      left -= more;
    }
  }
  std::vector<Continuation> best;
  for (size_t bank = banks.size(); bank-- > 0;) {
    best.insert(best.end(), banks[bank].begin(),
                banks[bank].begin() + static_cast<std::ptrdiff_t>(taken[bank]));
  }
  return best;
}

SentenceBeam::Live SentenceBeam::Extended(const Continuation& continuation,
                                          Attention attention) const {
  const Live& live = live_[continuation.row];
  const int32_t token = continuation.token;
  Live extended = live;
  extended.parent = continuation.row;
  extended.hypothesis.Append(token, continuation.score,
                             rules_.Penalty(live.hypothesis.generated(), token),
                             [&] { return attention(continuation.row); });
  if (token != kEosId && constraints_->size() > 0) extended.progress = live.progress.After(token);
  return extended;
}

void SentenceBeam::Finish(Live ended) {
  ++finished_of_[ended.group];
  finished_.push_back(std::move(ended.hypothesis).Finish());
}

std::set<int32_t> SentenceBeam::Take(absl::Span<const Continuation> best, Attention attention,
                                     std::vector<Live>& next) {
  std::set<int32_t> tokens;
  size_t kept = 0;
  for (size_t i = 0; i < best.size() && kept < width(); ++i) {
    if (best[i].token != kEosId) {
      next.push_back(Extended(best[i], attention));
      tokens.insert(best[i].token);
      ++kept;
    } else if (i < width() || constraints_->size() > 0) {
      Finish(Extended(best[i], attention));
      tokens.insert(kEosId);
    }
  }
  return tokens;
}

void SentenceBeam::Prune(std::vector<Live>& next) const {
  if (options_.stopping == Stopping::kFinished) {
    next.erase(
        std::remove_if(next.begin(), next.end(),
                       [&](const Live& live) { return finished_of_[live.group] >= width(); }),
        next.end());
    return;
  }
  const auto wanted = static_cast<size_t>(options_.n_best);
  if (finished_.size() < wanted) return;
  std::vector<double> scores;
  for (const Hypothesis& hypothesis : finished_) scores.push_back(hypothesis.score);
  const auto last = scores.begin() + static_cast<std::ptrdiff_t>(wanted - 1);
  std::nth_element(scores.begin(), last, scores.end(), std::greater<>());
  const int64_t shortest = std::max(length() + 2, task_.min_length + 1);
  next.erase(std::remove_if(next.begin(), next.end(),
                            [&](const Live& live) {
                              return HighestScore(live.hypothesis.total(), shortest,
                                                  std::max(rules_.max_length() + 1, shortest),
                                                  options_) <= *last;
                            }),
             next.end());
}

void SentenceBeam::Advance(absl::Span<const std::vector<Continuation>> continuations,
                           Attention attention) {
  std::vector<Live> next;
  if (constraints_->size() > 0) {
    Take(BestOfBanks(continuations), attention, next);
  } else {
    std::map<int32_t, int> chosen;  // By token: number of groups that chose it.
    for (size_t group = 0; group < finished_of_.size(); ++group) {
      for (const int32_t token : Take(BestOfGroup(group, continuations, chosen), attention, next))
        ++chosen[token];
    }
  }
  if (next.empty() && finished_.empty()) {  // No token is allowed: end of sentence.
    Finish(Extended({0, kEosId, kAtLast, live_[0].hypothesis.total() + kAtLast}, attention));
  }
  Prune(next);
  live_ = std::move(next);
}

absl::Span<const int32_t> SentenceBeam::CertainTokens(size_t known) const {
  const absl::Span<const int32_t> tokens = live_[0].hypothesis.generated();
  size_t certain = tokens.size();
  const auto compare = [&](const TokenIds& other) {
    const size_t shorter = std::min(certain, other.size());
    certain = known;
    while (certain < shorter && tokens[certain] == other[certain]) ++certain;
  };
  for (const Live& live : live_) compare(live.hypothesis.generated());
  // The first of equals, as Rank has it.
  const auto best =
      std::max_element(finished_.begin(), finished_.end(),
                       [](const Hypothesis& a, const Hypothesis& b) { return a.score < b.score; });
  if (best != finished_.end()) compare(best->tokens);
  return tokens.first(certain);
}

std::vector<Hypothesis> SentenceBeam::NBest() && {
  Rank(finished_);
  finished_.resize(std::min(finished_.size(), static_cast<size_t>(options_.n_best)));
  return std::move(finished_);
}

}  // namespace seq2seq
