#include "seq2seq/search/sample.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "seq2seq/base/random.h"
#include "seq2seq/search/logits_processor.h"
#include "seq2seq/search/partial_hypothesis.h"
#include "seq2seq/search/ranking.h"
#include "seq2seq/search/top_k.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

// The tokens to sample from, most probable first if top_k or top_p need the order.
std::vector<ScoredColumn> Choices(const ScoreRow& row, const SearchOptions& options) {
  if (options.top_k > 0 || options.top_p < 1) {
    const size_t all = row.scores.size();
    return TopK(row.scores,
                options.top_k > 0 ? std::min(static_cast<size_t>(options.top_k), all) : all);
  }
  std::vector<ScoredColumn> choices;
  for (size_t column = 0; column < row.scores.size(); ++column) {
    if (std::isfinite(row.scores[column])) choices.push_back({row.scores[column], column});
  }
  return choices;
}

// The token at `point`, in [0, 1), of the distribution; end of sentence if no token is allowed.
int32_t DrawToken(const ScoreRow& row, const SearchOptions& options, double point) {
  const std::vector<ScoredColumn> choices = Choices(row, options);
  if (choices.empty()) return kEosId;
  const float highest = std::min_element(choices.begin(), choices.end())->score;
  std::vector<double> weights;
  double sum = 0;
  for (const ScoredColumn& choice : choices) {
    weights.push_back(std::exp(static_cast<double>(choice.score - highest) / options.temperature));
    sum += weights.back();
  }
  double kept = sum;
  if (options.top_p < 1) {
    size_t count = 0;
    for (kept = 0; kept < options.top_p * sum && count < weights.size(); ++count)
      kept += weights[count];
    weights.resize(count);
  }
  double left = point * kept;
  for (size_t i = 0; i < weights.size(); ++i) {
    left -= weights[i];
    if (left < 0) return row.Token(choices[i].column);
  }
  return row.Token(choices[0].column);  // If rounding errors left none.
}

// The samples of all sentences, which grow by one token in each time step.
class Sampler {
 public:
  Sampler(absl::Span<const SearchTask> tasks, const SearchOptions& options);

  // The rows of the next time step, one for each sample that has not ended, grouped by sentence.
  const std::vector<Extension>& rows() const { return rows_; }

  // Extends each sample by a token; `scores` are those of the rows, in the last step of `scorer`.
  void Advance(const StepScores& scores, const Scorer& scorer);

  // The samples of each sentence, best first, once there are no more rows.
  std::vector<std::vector<Hypothesis>> Results() && { return std::move(results_); }

 private:
  // A sample that has not ended.
  struct Live {
    size_t sentence = 0;
    uint64_t seed = 0;
    PartialHypothesis hypothesis;
  };

  // Appends a token to `live`, whose scores are row `row`, and returns it.
  int32_t Extend(Live& live, size_t row, const ScoreRow& scores, const Scorer& scorer) const;
  // Adds a sample that has ended to the results, and ranks them after the last one.
  void Finish(size_t sentence, PartialHypothesis ended);

  const SearchOptions& options_;
  const absl::Span<const SearchTask> tasks_;
  std::vector<LogitsProcessor> rules_;  // By sentence.
  std::vector<Live> live_;
  std::vector<Extension> rows_;                   // Of live_.
  std::vector<std::vector<Hypothesis>> results_;  // By sentence.
};

Sampler::Sampler(absl::Span<const SearchTask> tasks, const SearchOptions& options)
    : options_(options), tasks_(tasks), results_(tasks.size()) {
  for (size_t s = 0; s < tasks.size(); ++s) {
    rules_.emplace_back(options, tasks[s]);
    for (int64_t i = 0; i < options.n_best; ++i) {
      const uint64_t seed = DeriveSeed(
          {static_cast<uint64_t>(options.seed), tasks[s].seed, static_cast<uint64_t>(i)});
      live_.push_back({s, seed, PartialHypothesis(options, tasks[s])});
      rows_.push_back({static_cast<int64_t>(s), static_cast<int64_t>(s), kBosId});
    }
  }
}

int32_t Sampler::Extend(Live& live, size_t row, const ScoreRow& scores,
                        const Scorer& scorer) const {
  const LogitsProcessor& rules = rules_[live.sentence];
  const TokenIds& generated = live.hypothesis.generated();
  const auto forced = rules.Forced(static_cast<int64_t>(generated.size()));
  int32_t token = 0;
  if (forced) {
    token = *forced;
  } else {
    rules.Apply(generated, scores);
    const uint64_t bits = DeriveSeed({live.seed, generated.size()});
    token = DrawToken(scores, options_, std::ldexp(static_cast<double>(bits >> 11), -53));
  }
  const double penalty = rules.Penalty(generated, token);
  const float* found = scores.Find(token);
  double score = found == nullptr ? -INFINITY : static_cast<double>(*found - scores.normalizer);
  if (forced) score *= penalty;  // Else applied to the row.
  live.hypothesis.Append(token, score, penalty, [&] { return scorer.Attention(row); });
  return token;
}

void Sampler::Advance(const StepScores& scores, const Scorer& scorer) {
  std::vector<Live> live;
  std::vector<Extension> rows;
  bool interrupted = false;
  for (size_t row = 0; row < live_.size(); ++row) {
    Live& sample = live_[row];
    const size_t sentence = sample.sentence;
    const SearchTask& task = tasks_[sentence];
    const bool is_next_sentence = row == 0 || rows_[row - 1].sentence != rows_[row].sentence;
    if (is_next_sentence) interrupted = task.interrupt.raised();
    if (interrupted) {
      results_[sentence].clear();
      continue;
    }
    const int32_t token = Extend(sample, row, scores.row(row), scorer);
    if (token == kEosId) {
      Finish(sentence, std::move(sample.hypothesis));
      continue;
    }
    if (options_.n_best == 1 && task.on_tokens)
      task.on_tokens(sample.hypothesis.generated(), /*complete=*/false);
    rows.push_back({static_cast<int64_t>(row), static_cast<int64_t>(sentence), token});
    live.push_back(std::move(sample));
  }
  live_ = std::move(live);
  rows_ = std::move(rows);
}

void Sampler::Finish(size_t sentence, PartialHypothesis ended) {
  std::vector<Hypothesis>& samples = results_[sentence];
  samples.push_back(std::move(ended).Finish());
  if (static_cast<int64_t>(samples.size()) < options_.n_best) return;
  Rank(samples);
  if (tasks_[sentence].on_tokens) tasks_[sentence].on_tokens(samples[0].tokens, /*complete=*/true);
}

}  // namespace

std::vector<std::vector<Hypothesis>> Sample(Scorer& scorer, absl::Span<const SearchTask> tasks,
                                            const SearchOptions& options) {
  Sampler sampler(tasks, options);
  while (!sampler.rows().empty()) {
    const StepScores scores = scorer.Step(sampler.rows());
    sampler.Advance(scores, scorer);
  }
  return std::move(sampler).Results();
}

}  // namespace seq2seq
