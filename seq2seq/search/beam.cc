#include "seq2seq/search/beam.h"

#include <utility>

#include "seq2seq/search/row_ranges.h"
#include "seq2seq/search/sentence_beam.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

// A sentence whose search is not finished.
struct Live {
  size_t sentence;
  size_t first_row;  // In this time step.
};

constexpr int64_t kGrain = 4;  // Sentences that are worth a thread.

// Reports the tokens that are certain if they are more than before.
void Report(const SearchTask& task, const SentenceBeam& beam, size_t& certain) {
  const absl::Span<const int32_t> tokens = beam.CertainTokens(certain);
  if (tokens.size() == certain) return;
  certain = tokens.size();
  task.on_tokens(tokens, /*complete=*/false);
}

}  // namespace

std::vector<std::vector<Hypothesis>> BeamSearch(Scorer& scorer, absl::Span<const SearchTask> tasks,
                                                const SearchOptions& options) {
  std::vector<SentenceBeam> beams;
  std::vector<Extension> rows;  // Of the next time step, grouped by sentence.
  std::vector<Live> live;
  std::vector<size_t> certain(tasks.size());  // Tokens passed to on_tokens.
  std::vector<std::vector<Hypothesis>> results(tasks.size());
  for (size_t sentence = 0; sentence < tasks.size(); ++sentence) {
    live.push_back({sentence, rows.size()});
    beams.emplace_back(options, tasks[sentence]);
    const auto number = static_cast<int64_t>(sentence);
    rows.resize(rows.size() + beams.back().size(), {number, number, kBosId});
  }
  while (!rows.empty()) {
    const StepScores scores = scorer.Step(rows);
    const auto advance = [&](SentenceBeam& beam, size_t first) {
      std::vector<std::vector<Continuation>> continuations(beam.size());
      for (size_t row = 0; row < beam.size(); ++row)
        continuations[row] = beam.Expand(row, scores.row(first + row));
      beam.Advance(continuations, [&](size_t row) { return scorer.Attention(first + row); });
    };
    ForRanges(static_cast<int64_t>(live.size()), kGrain, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
        advance(beams[live[i].sentence], live[i].first_row);
    });
    rows.clear();
    std::vector<Live> next;
    for (const auto& [sentence, first] : live) {
      SentenceBeam& beam = beams[sentence];
      const SearchTask& task = tasks[sentence];
      if (beam.done()) {
        results[sentence] = std::move(beam).NBest();
        if (task.on_tokens) task.on_tokens(results[sentence][0].tokens, /*complete=*/true);
        continue;
      }
      if (task.interrupt.raised()) continue;
      next.push_back({sentence, rows.size()});
      for (size_t row = 0; row < beam.size(); ++row) {
        rows.push_back({static_cast<int64_t>(first + beam.parent(row)),
                        static_cast<int64_t>(sentence), beam.last_token(row)});
      }
      if (task.on_tokens) Report(task, beam, certain[sentence]);
    }
    live = std::move(next);
  }
  return results;
}

}  // namespace seq2seq
