#include "seq2seq/search/beam.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/option_rules.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
// Less than any sum of log-probabilities, and yet a number: for an end that must come and that a
// scorer rules out.
constexpr float kAtLast = -1e30F;

// A sentence on its way.
struct Sentence {
  size_t index;                      // In the order of the caller.
  std::vector<Hypothesis> live;      // Best first; at most `beam`.
  std::vector<Hypothesis> finished;  // In no order.
};

// What the rows of the next step are made of.
struct NextRows {
  std::vector<int64_t> rows;       // The row that each goes on from.
  std::vector<int64_t> sentences;  // The place that each sentence had.
  std::vector<int64_t> tokens;
  std::vector<float> totals;
};

Hypothesis Extended(const Hypothesis& hypothesis, double token_score) {
  Hypothesis extended = hypothesis;
  extended.token_scores.push_back(token_score);
  extended.log_probability += token_score;
  return extended;
}

// Takes away what must not be said at this step, of which each sentence has `width` rows.
void Constrain(torch::Tensor& log_probs, const std::vector<Sentence>& sentences, int64_t width,
               int64_t length, absl::Span<const int64_t> max_lengths, const BeamOptions& options) {
  for (const int32_t id : {kPadId, kUnknownId, kBosId}) log_probs.select(1, id).fill_(kNever);
  if (length < options.min_length) log_probs.select(1, kEosId).fill_(kNever);
  for (size_t s = 0; s < sentences.size(); ++s) {
    if (length < max_lengths[sentences[s].index]) continue;
    torch::Tensor rows = log_probs.narrow(0, static_cast<int64_t>(s) * width, width);
    const torch::Tensor end = rows.select(1, kEosId).clamp_min(kAtLast);
    rows.fill_(kNever);
    rows.select(1, kEosId).copy_(end);
  }
}

// Moves a sentence one token on. `totals`, `scores` and `places` describe its best continuations,
// best first: the score of the whole, of the token, and row x vocab + token.
void Advance(const float* totals, const float* scores, const int64_t* places, int64_t count,
             int64_t vocab, int64_t first_row, const BeamOptions& options, Sentence& sentence,
             NextRows& next) {
  std::vector<Hypothesis> live;
  for (int64_t i = 0; i < count && static_cast<int64_t>(live.size()) < options.beam; ++i) {
    if (totals[i] == kNever) break;
    const int64_t row = places[i] / vocab;
    const int64_t token = places[i] % vocab;
    Hypothesis extended = Extended(sentence.live[static_cast<size_t>(row)], scores[i]);
    if (token != kEosId) {
      extended.tokens.push_back(static_cast<int32_t>(token));
      live.push_back(std::move(extended));
      next.rows.push_back(first_row + row);
      next.tokens.push_back(token);
      next.totals.push_back(totals[i]);
    } else if (i < options.beam) {
      extended.score =
          NormalizedScore(extended.log_probability, extended.token_scores.size(), options);
      sentence.finished.push_back(std::move(extended));
    }
  }
  sentence.live = std::move(live);
}

bool IsDone(const Sentence& sentence, const BeamOptions& options) {
  return sentence.live.empty() || static_cast<int64_t>(sentence.finished.size()) >= options.beam;
}

std::vector<Hypothesis> NBest(Sentence& sentence, const BeamOptions& options) {
  std::vector<Hypothesis>& finished = sentence.finished;
  std::stable_sort(finished.begin(), finished.end(),
                   [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
  finished.resize(std::min(finished.size(), static_cast<size_t>(options.n_best)));
  return std::move(finished);
}

}  // namespace

absl::Status Validate(const BeamOptions& options) {
  OptionRules rules;
  rules.Expect("beam", options.beam, options.beam >= 1 && options.beam <= 1000, "1 to 1000");
  rules.Expect("n_best", options.n_best, options.n_best >= 1 && options.n_best <= options.beam,
               absl::StrCat("1 to beam, which is ", options.beam));
  rules.Expect("gnmt_alpha", options.gnmt_alpha, options.gnmt_alpha >= 0, "0 or more");
  rules.Expect("max_length", options.max_length, options.max_length >= 1, "1 or more");
  rules.Expect("min_length", options.min_length,
               options.min_length >= 0 && options.min_length <= options.max_length,
               absl::StrCat("0 to max_length, which is ", options.max_length));
  rules.Expect("max_ratio", options.max_ratio, options.max_ratio > 0, "more than 0");
  return rules.status();
}

double NormalizedScore(double log_probability, size_t length, const BeamOptions& options) {
  switch (options.normalization) {
    case LengthNormalization::kNone:
      return log_probability;
    case LengthNormalization::kAverage:
      return log_probability / static_cast<double>(length);
    case LengthNormalization::kGnmt:
      return log_probability /
             std::pow((5.0 + static_cast<double>(length)) / 6.0, options.gnmt_alpha);
  }
  return log_probability;
}

int64_t MaxLength(int64_t source_length, const BeamOptions& options) {
  const double relative = options.max_ratio * static_cast<double>(source_length) + 10;
  // Compared as doubles: the ratio may be too large for an integer.
  const int64_t bound = relative < static_cast<double>(options.max_length)
                            ? static_cast<int64_t>(relative)
                            : options.max_length;
  return std::max(options.min_length, bound);
}

std::vector<std::vector<Hypothesis>> BeamSearch(Scorer& scorer,
                                                absl::Span<const int64_t> max_lengths,
                                                const BeamOptions& options) {
  std::vector<std::vector<Hypothesis>> results(static_cast<size_t>(scorer.batch()));
  std::vector<Sentence> sentences;
  for (size_t s = 0; s < results.size(); ++s) sentences.push_back({s, {Hypothesis()}, {}});
  torch::Tensor tokens = torch::full({scorer.batch()}, kBosId, torch::kInt64);  // [row]
  torch::Tensor totals = torch::zeros({scorer.batch(), 1});                     // [row, 1]

  for (int64_t length = 0; !sentences.empty(); ++length) {
    torch::Tensor log_probs = scorer.Step(tokens);  // [row, vocab]
    const int64_t vocab = log_probs.size(1);
    const auto batch = static_cast<int64_t>(sentences.size());
    const int64_t width = log_probs.size(0) / batch;
    Constrain(log_probs, sentences, width, length, max_lengths, options);

    const int64_t count = std::min(2 * options.beam, width * vocab);
    const auto [best, places] = (log_probs + totals).view({batch, width * vocab}).topk(count);
    const torch::Tensor scores = log_probs.view({batch, width * vocab}).gather(1, places);

    NextRows next;
    std::vector<Sentence> going;
    for (int64_t s = 0; s < batch; ++s) {
      Sentence& sentence = sentences[static_cast<size_t>(s)];
      const size_t rows_before = next.rows.size();
      Advance(best[s].data_ptr<float>(), scores[s].data_ptr<float>(), places[s].data_ptr<int64_t>(),
              count, vocab, s * width, options, sentence, next);
      const bool done = IsDone(sentence, options);
      // A sentence that goes on fills its group of rows with ones that can not win.
      const size_t rows_after = rows_before + (done ? 0 : static_cast<size_t>(options.beam));
      next.rows.resize(rows_after, s * width);
      next.tokens.resize(rows_after, kPadId);
      next.totals.resize(rows_after, kNever);
      if (done) {
        results[sentence.index] = NBest(sentence, options);
      } else {
        next.sentences.push_back(s);
        going.push_back(std::move(sentence));
      }
    }
    sentences = std::move(going);
    if (sentences.empty()) break;
    tokens = torch::tensor(next.tokens);
    totals = torch::tensor(next.totals).unsqueeze(1);
    scorer.Select(torch::tensor(next.rows), torch::tensor(next.sentences));
  }
  return results;
}

}  // namespace seq2seq
