#include "seq2seq/search/beam.h"

#include <utility>

#include <ATen/Parallel.h>

#include "seq2seq/search/sentence_beam.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

std::vector<std::vector<Hypothesis>> BeamSearch(Scorer& scorer, absl::Span<const SearchTask> tasks,
                                                const SearchOptions& options) {
  std::vector<SentenceBeam> beams;
  std::vector<Extension> rows;    // Of the next step; those of a sentence together.
  std::vector<size_t> first_row;  // [sentence]
  for (const SearchTask& task : tasks) {
    const auto sentence = static_cast<int64_t>(beams.size());
    first_row.push_back(rows.size());
    beams.emplace_back(options, task);
    rows.resize(rows.size() + beams.back().size(), {sentence, sentence, kBosId});
  }
  while (!rows.empty()) {
    const StepScores scores = scorer.Step(rows);
    std::vector<std::vector<Continuation>> continuations(rows.size());
    constexpr int64_t kGrain = 16;
    at::parallel_for(0, static_cast<int64_t>(rows.size()), kGrain, [&](int64_t begin, int64_t end) {
      for (auto row = static_cast<size_t>(begin); row < static_cast<size_t>(end); ++row) {
        const auto sentence = static_cast<size_t>(rows[row].sentence);
        continuations[row] = beams[sentence].Expand(row - first_row[sentence], scores.row(row));
      }
    });
    std::vector<Extension> next;
    for (size_t sentence = 0; sentence < beams.size(); ++sentence) {
      SentenceBeam& beam = beams[sentence];
      if (beam.done()) continue;
      const size_t first = first_row[sentence];
      beam.Advance(absl::MakeConstSpan(continuations).subspan(first, beam.size()),
                   [&](size_t row) { return scorer.Attention(first + row); });
      first_row[sentence] = next.size();
      for (size_t row = 0; row < beam.size(); ++row) {
        next.push_back({static_cast<int64_t>(first + beam.parent(row)),
                        static_cast<int64_t>(sentence), beam.last_token(row)});
      }
    }
    rows = std::move(next);
  }
  std::vector<std::vector<Hypothesis>> results;
  for (SentenceBeam& beam : beams) results.push_back(std::move(beam).NBest());
  return results;
}

}  // namespace seq2seq
