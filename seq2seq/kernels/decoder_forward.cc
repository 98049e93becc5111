#include <algorithm>
#include <cmath>

#include "seq2seq/kernels/decoder.h"
#include "seq2seq/kernels/decoder_rows.h"
#include "seq2seq/kernels/dropout.h"
#include "seq2seq/kernels/parallel.h"

namespace seq2seq {
namespace {

class ForwardPass {
 public:
  ForwardPass(const DecoderPlan& plan, const DecoderWeights& weights, const DecoderStart& start,
              absl::Span<const AttentionMemory> sources, const PredictedTokens* predicted_tokens,
              absl::Span<int64_t> tokens, Matrix attentional_states)
      : plan_(plan),
        weights_(weights),
        sizes_(plan, weights),
        steps_(*plan.steps),
        start_(start, steps_),
        sources_(sources),
        predicted_tokens_(predicted_tokens),
        tokens_(tokens),
        attentional_states_(attentional_states) {
    const ConstMatrix input = weights.cells[0].input;
    token_weight_ =
        PackedMatrix::PackTransposed(input.Columns(0, sizes_.embedding), plan.precision);
    if (plan.input_feeding) {
      feed_weight_ = PackedMatrix::PackTransposed(
          input.Columns(sizes_.embedding, sizes_.attentional_state), plan.precision);
    }
    attentional_weight_ = PackedMatrix::PackTransposed(weights.attentional, plan.precision);
    if (weights.is_additive())
      query_weight_ = PackedMatrix::PackTransposed(weights.query, plan.precision);
    for (size_t number = 0; number < sizes_.cells; ++number) {
      const CellWeights& cell = weights.cells[number];
      input_weights_.push_back(
          number == 0 ? token_weight_ : PackedMatrix::PackTransposed(cell.input, plan.precision));
      hidden_weights_.push_back(PackedMatrix::PackTransposed(cell.hidden, plan.precision));
      biases_.push_back(ProjectionBias(plan.cell, cell));
    }
    Allocate();
  }

  DecoderCache Run() && {
    if (predicted_tokens_ == nullptr) {
      const Matrix embedded = cache_.cells[0].input.view();
      ParallelRanges(steps_.tokens(), 16, [&](int64_t begin, int64_t end) {
        Embed(embedded.Rows(begin, end - begin), begin);
      });
      Clear(steps_.Tail(embedded));
      Multiply(embedded, token_weight_, Projected(0), biases_[0].data());
    }
    ParallelFor(steps_.groups(), [this](int64_t group) { RunGroup(group); });
    Clear(steps_.Tail(attentional_states_));
    Clear(steps_.Tail(cache_.attended.view()));
    Clear(steps_.Tail(QueriesOf(cache_, sizes_)));
    return std::move(cache_);
  }

 private:
  void Allocate() {
    const int64_t rows = steps_.rows();
    cache_.cells.resize(sizes_.cells);
    for (size_t number = 0; number < sizes_.cells; ++number) {
      DecoderCache::Cell& cell = cache_.cells[number];
      if (!sizes_.is_conditional(number))
        cell.input = Buffer(rows, number == 0 ? sizes_.embedding : sizes_.hidden);
      cell.gates = Buffer(rows, sizes_.width);
      if (HasCellState(plan_.cell)) cell.cell_state = Buffer(rows, sizes_.hidden);
      if (number + 1 < sizes_.cells) cell.hidden = Buffer(rows, sizes_.hidden);
    }
    cache_.attended = Buffer(rows, sizes_.context + sizes_.hidden);
    if (weights_.is_additive()) cache_.queries = Buffer(rows, sizes_.hidden);
    int64_t longest = 0;
    for (const AttentionMemory& source : sources_) longest = std::max(longest, source.keys.rows);
    cache_.weights = Buffer(rows, longest);
    if (weights_.has_coverage()) cache_.coverage = Buffer(rows, longest);
  }

  Matrix Projected(size_t cell) const {
    return cache_.cells[cell].gates.view().Columns(0, sizes_.projected);
  }

  // The embeddings of the tokens of rows from `first` on.
  void Embed(Matrix embedded, int64_t first) const {
    for (int64_t i = 0; i < embedded.rows; ++i) {
      const int64_t token = tokens_[static_cast<size_t>(first + i)];
      Copy(weights_.embedding.Rows(token, 1), embedded.Rows(i, 1));
    }
    if (plan_.embedding_dropout > 0)
      Dropout(embedded, plan_.embedding_dropout, SeedOf(plan_, 0), first, embedded);
  }

  void RunGroup(int64_t group) {
    const Buffer products(steps_.size(group), hidden_weights_[0].columns());
    for (int64_t step = 0; step < steps_.steps(); ++step) {
      const int64_t count = steps_.count(step, group);
      if (count == 0) break;
      const auto of = [&](Matrix matrix) { return steps_.Of(matrix, step, group); };
      if (predicted_tokens_ != nullptr) {
        if (step > 0) ChooseTokens(group, step);
        const Matrix embedded = of(cache_.cells[0].input.view());
        Embed(embedded, steps_.begin(step, group));
        Multiply(embedded, token_weight_, of(Projected(0)), biases_[0].data());
      }
      if (plan_.input_feeding && step > 0) {
        MultiplyAdd(First(steps_.Of(attentional_states_, step - 1, group), count), feed_weight_,
                    of(Projected(0)));
      }
      for (size_t layer = 0; layer < sizes_.layers; ++layer) {
        if (layer > 0) {
          DropLayerBelow(group, step, layer);
          ProjectInput(group, step, layer);
        }
        RunCell(group, step, layer, First(products.view(), count));
      }
      AttendStep(group, step);
      if (plan_.conditional) {
        ProjectInput(group, step, sizes_.layers);
        RunCell(group, step, sizes_.layers, First(products.view(), count));
      }
      const Matrix attentional_states = of(attentional_states_);
      Multiply(of(cache_.attended.view()), attentional_weight_, attentional_states);
      TanhForward(attentional_states);
    }
  }

  void DropLayerBelow(int64_t group, int64_t step, size_t layer) const {
    const Matrix input = steps_.Of(InputOf(cache_, layer, sizes_), step, group);
    const Matrix below = steps_.Of(HiddenOf(cache_, layer - 1, sizes_), step, group);
    if (plan_.dropout > 0) {
      Dropout(below, plan_.dropout, SeedOf(plan_, layer), steps_.begin(step, group), input);
    } else {
      Copy(below, input);
    }
  }

  void ProjectInput(int64_t group, int64_t step, size_t cell) const {
    Multiply(steps_.Of(InputOf(cache_, cell, sizes_), step, group), input_weights_[cell],
             steps_.Of(Projected(cell), step, group), biases_[cell].data());
  }

  void RunCell(int64_t group, int64_t step, size_t number, Matrix products) const {
    auto cell = CellRows<GateStep>(steps_, sizes_, cache_, start_, group, step, number);
    Multiply(cell.hidden_before, hidden_weights_[number], products);
    cell.recurrent = products;
    GatesForward(plan_.cell, FormulaWeights(plan_.cell, weights_.cells[number]), cell);
  }

  // Attention with the last layer's hidden states as queries.
  void AttendStep(int64_t group, int64_t step) const {
    const Matrix attended = steps_.Of(cache_.attended.view(), step, group);
    const Matrix weights = steps_.Of(cache_.weights.view(), step, group);
    const bool additive = weights_.is_additive();
    Matrix queries = steps_.Of(QueriesOf(cache_, sizes_), step, group);
    if (additive) {
      const Matrix projected = steps_.Of(cache_.queries.view(), step, group);
      Multiply(queries, query_weight_, projected);
      queries = projected;
    }
    if (weights_.has_coverage()) CoverStep(group, step);
    for (int64_t i = 0; i < attended.rows; ++i) {
      const AttentionMemory& source = sources_[static_cast<size_t>(steps_.sequence(group, i))];
      if (additive) {
        PastFeatures past;
        if (weights_.has_coverage())
          past = PastOf(weights_, source, steps_.Of(cache_.coverage.view(), step, group).row(i));
        AdditiveScores(source.keys, queries.row(i), past, weights_.energy, weights.row(i));
        SoftmaxMean(source.values, weights.row(i), attended.row(i));
      } else {
        Attend(source, queries.row(i), weights.row(i), attended.row(i));
      }
    }
  }

  // The coverage before a time step.
  void CoverStep(int64_t group, int64_t step) const {
    const Matrix coverage = steps_.Of(cache_.coverage.view(), step, group);
    if (step == 0) return Clear(coverage);
    Copy(First(steps_.Of(cache_.coverage.view(), step - 1, group), coverage.rows), coverage);
    for (int64_t i = 0; i < coverage.rows; ++i) {
      const int64_t source = sources_[static_cast<size_t>(steps_.sequence(group, i))].keys.rows;
      Add(steps_.Of(cache_.weights.view(), step - 1, group).Rows(i, 1).Columns(0, source),
          coverage.Rows(i, 1).Columns(0, source));
    }
  }

  // Scheduled sampling: replaces the selected tokens of a time step by tokens predicted from the
  // previous attentional states.
  void ChooseTokens(int64_t group, int64_t step) const {
    const Matrix before = steps_.Of(attentional_states_, step - 1, group);
    const int64_t first = steps_.begin(step, group);
    std::vector<int64_t> predicted;
    for (int64_t i = 0; i < steps_.count(step, group); ++i) {
      if (predicted_tokens_->predicted[static_cast<size_t>(first + i)]) predicted.push_back(i);
    }
    const auto count = static_cast<int64_t>(predicted.size());
    const Buffer attentional_states(count, sizes_.attentional_state);
    for (int64_t i = 0; i < count; ++i) {
      Copy(before.Rows(predicted[static_cast<size_t>(i)], 1), attentional_states.view().Rows(i, 1));
    }
    const Buffer scores(count, predicted_tokens_->output->columns());
    Multiply(attentional_states.view(), *predicted_tokens_->output, scores.view(),
             predicted_tokens_->output_bias);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = first + predicted[static_cast<size_t>(i)];
      tokens_[static_cast<size_t>(row)] = Choose(scores.view().Rows(i, 1), row);
    }
  }

  int64_t Choose(Matrix scores, int64_t row) const {
    float* begin = scores.data;
    float* end = begin + scores.columns;
    const float* highest = std::max_element(begin, end);
    if (!predicted_tokens_->sample) return highest - begin;
    const float offset = *highest;
    double total = 0;
    for (float* score = begin; score < end; ++score) {
      *score = std::exp(*score - offset);
      total += static_cast<double>(*score);
    }
    const uint64_t bits = DeriveSeed({SeedOf(plan_, sizes_.cells), static_cast<uint64_t>(row)});
    double left = std::ldexp(static_cast<double>(bits >> 11), -53) * total;
    for (const float* score = begin; score < end; ++score) {
      left -= static_cast<double>(*score);
      if (left < 0) return score - begin;
    }
    return highest - begin;
  }

  const DecoderPlan& plan_;
  const DecoderWeights& weights_;
  const DecoderSizes sizes_;
  const PackedSequence& steps_;
  const SortedStart start_;
  const absl::Span<const AttentionMemory> sources_;
  const PredictedTokens* const predicted_tokens_;
  const absl::Span<int64_t> tokens_;
  const Matrix attentional_states_;
  PackedMatrix token_weight_;
  PackedMatrix feed_weight_;
  PackedMatrix attentional_weight_;
  PackedMatrix query_weight_;
  std::vector<PackedMatrix> input_weights_;
  std::vector<PackedMatrix> hidden_weights_;
  std::vector<std::vector<float>> biases_;
  DecoderCache cache_;
};

}  // namespace

DecoderCache DecoderForward(const DecoderPlan& plan, const DecoderWeights& weights,
                            const DecoderStart& start, absl::Span<const AttentionMemory> sources,
                            const PredictedTokens* predicted_tokens, absl::Span<int64_t> tokens,
                            Matrix attentional_states) {
  return ForwardPass(plan, weights, start, sources, predicted_tokens, tokens, attentional_states)
      .Run();
}

}  // namespace seq2seq
