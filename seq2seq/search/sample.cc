#include "seq2seq/search/sample.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "seq2seq/base/random.h"
#include "seq2seq/search/logits_processor.h"
#include "seq2seq/search/ranking.h"
#include "seq2seq/search/top_k.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

// A sample in progress.
struct Draw {
  size_t sentence = 0;
  uint64_t seed = 0;
  Hypothesis hypothesis;
  double total = 0;             // Sum of log-probabilities, with penalties.
  bool first = false;           // Whether it is the first of its sentence.
  std::vector<float> attended;  // Coverage of each source position, if there is a coverage penalty.
};

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

}  // namespace

std::vector<std::vector<Hypothesis>> Sample(Scorer& scorer, absl::Span<const SearchTask> tasks,
                                            const SearchOptions& options) {
  std::vector<std::vector<Hypothesis>> results(tasks.size());
  std::vector<LogitsProcessor> rules;
  std::vector<Draw> draws;
  std::vector<Extension> rows;
  for (size_t s = 0; s < tasks.size(); ++s) {
    rules.emplace_back(options, tasks[s]);
    for (int64_t i = 0; i < options.n_best; ++i) {
      const uint64_t seed = DeriveSeed(
          {static_cast<uint64_t>(options.seed), tasks[s].seed, static_cast<uint64_t>(i)});
      draws.push_back({s, seed, {}, 0, i == 0, {}});
      rows.push_back({static_cast<int64_t>(s), static_cast<int64_t>(s), kBosId});
    }
  }
  for (uint64_t length = 0; !rows.empty(); ++length) {
    const StepScores scores = scorer.Step(rows);
    std::vector<Draw> going;
    std::vector<Extension> next;
    bool interrupted = false;
    for (size_t r = 0; r < draws.size(); ++r) {
      Draw& draw = draws[r];
      if (r == 0 || draw.sentence != static_cast<size_t>(rows[r - 1].sentence))
        interrupted = tasks[draw.sentence].interrupt.raised();
      if (interrupted) {
        results[draw.sentence].clear();
        continue;
      }
      const SearchTask& task = tasks[draw.sentence];
      Hypothesis& hypothesis = draw.hypothesis;
      const ScoreRow row = scores.row(r);
      int32_t token = 0;
      const auto forced = rules[draw.sentence].Forced(static_cast<int64_t>(length));
      if (forced) {
        token = *forced;
      } else {
        rules[draw.sentence].Apply(hypothesis.tokens, row);
        const uint64_t bits = DeriveSeed({draw.seed, length});
        token = DrawToken(row, options, std::ldexp(static_cast<double>(bits >> 11), -53));
      }
      const float* found = row.Find(token);
      const double score =
          found == nullptr ? -INFINITY : static_cast<double>(*found - row.normalizer);
      const double penalty = rules[draw.sentence].Penalty(hypothesis.tokens, token);
      draw.total += forced ? penalty * score : score;
      hypothesis.token_scores.push_back(forced ? score : score / penalty);
      hypothesis.log_probability += hypothesis.token_scores.back();
      if (task.attention) {
        const absl::Span<const float> attended = scorer.Attention(r);
        hypothesis.attention.push_back(
            std::make_shared<const std::vector<float>>(attended.begin(), attended.end()));
      }
      if (options.coverage_penalty > 0) {
        const absl::Span<const float> attended = scorer.Attention(r);
        draw.attended.resize(attended.size());
        for (size_t i = 0; i < attended.size(); ++i) draw.attended[i] += attended[i];
      }
      if (token == kEosId) {
        hypothesis.score = NormalizedScore(
            draw.total, static_cast<int64_t>(hypothesis.token_scores.size()), options);
        if (options.coverage_penalty > 0)
          hypothesis.score += options.coverage_penalty * CoverageScore(draw.attended);
        results[draw.sentence].push_back(std::move(hypothesis));
        continue;
      }
      hypothesis.tokens.push_back(token);
      if (draw.first && task.on_token) task.on_token(token);
      next.push_back({static_cast<int64_t>(r), static_cast<int64_t>(draw.sentence), token});
      going.push_back(std::move(draw));
    }
    draws = std::move(going);
    rows = std::move(next);
  }
  for (std::vector<Hypothesis>& found : results) {
    std::stable_sort(found.begin(), found.end(),
                     [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
  }
  return results;
}

}  // namespace seq2seq
