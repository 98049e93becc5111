#include "seq2seq/kernels/decoder.h"

#include <algorithm>
#include <cmath>

#include "seq2seq/base/random.h"
#include "seq2seq/kernels/dropout.h"
#include "seq2seq/kernels/parallel.h"

namespace seq2seq {
namespace {

struct Sizes {
  Sizes(const DecoderPlan& plan, const DecoderWeights& weights)
      : embedding(weights.embedding.columns),
        hidden(weights.cells[0].hidden.columns),
        readout(weights.readout.rows),
        memory(weights.readout.columns - hidden),
        projected(LayoutOf(plan.cell).projected * hidden),
        width(LayoutOf(plan.cell).width * hidden) {}

  int64_t embedding, hidden, readout, memory, projected, width;
};

// Dropout and sampling draw from a stream of their own in each layer.
uint64_t SeedOf(const DecoderPlan& plan, size_t use) { return DeriveSeed({plan.seed, use}); }

// The outputs of a layer; those of the last one lie where the readout reads them.
Matrix HiddenOf(const DecoderTape& tape, size_t layer, const Sizes& sizes) {
  if (layer + 1 < tape.layers.size()) return tape.layers[layer].hidden.view();
  return tape.attended.view().Columns(sizes.memory, sizes.hidden);
}

// A state of the batch in the order of the rows of the first step.
Buffer Sorted(ConstMatrix state, const Steps& steps) {
  if (state.data == nullptr) return {};
  Buffer sorted(state.rows, state.columns);
  for (int64_t group = 0; group < steps.groups(); ++group) {
    for (int64_t i = 0; i < steps.size(group); ++i) {
      Copy(state.Rows(steps.sequence(group, i), 1),
           sorted.view().Rows(steps.begin(0, group) + i, 1));
    }
  }
  return sorted;
}

struct SortedStart {
  SortedStart(const DecoderStart& start, const Steps& steps) {
    for (const ConstMatrix& state : start.hidden) hidden.push_back(Sorted(state, steps));
    for (const ConstMatrix& state : start.memory) memory.push_back(Sorted(state, steps));
    memory.resize(hidden.size());
  }

  std::vector<Buffer> hidden;  // One a layer, [row of the first step, hidden].
  std::vector<Buffer> memory;
};

// What a step of a group starts from: the rows of the step before, or of the start.
template <typename T>
MatrixView<T> Before(const Steps& steps, int64_t group, MatrixView<T> states, Matrix start,
                     int64_t step) {
  if (states.data == nullptr) return states;
  if (step == 0) return steps.Of(start, 0, group);
  return First(steps.Of(states, step - 1, group), steps.count(step, group));
}

class ForwardPass {
 public:
  ForwardPass(const DecoderPlan& plan, const DecoderWeights& weights, const DecoderStart& start,
              absl::Span<const Source> sources, const OwnTokens* own_tokens,
              absl::Span<int64_t> tokens, Matrix readouts)
      : plan_(plan),
        weights_(weights),
        sizes_(plan, weights),
        steps_(*plan.steps),
        start_(start, steps_),
        sources_(sources),
        own_tokens_(own_tokens),
        tokens_(tokens),
        readouts_(readouts) {
    const ConstMatrix input = weights.cells[0].input;
    token_weight_ =
        PackedMatrix::PackTransposed(input.Columns(0, sizes_.embedding), plan.precision);
    if (plan.input_feeding) {
      feed_weight_ = PackedMatrix::PackTransposed(input.Columns(sizes_.embedding, sizes_.readout),
                                                  plan.precision);
    }
    readout_weight_ = PackedMatrix::PackTransposed(weights.readout, plan.precision);
    for (size_t layer = 0; layer < weights.cells.size(); ++layer) {
      const CellWeights& cell = weights.cells[layer];
      input_weights_.push_back(
          layer == 0 ? token_weight_ : PackedMatrix::PackTransposed(cell.input, plan.precision));
      hidden_weights_.push_back(PackedMatrix::PackTransposed(cell.hidden, plan.precision));
      biases_.push_back(ProjectionBias(plan.cell, cell));
    }
    Allocate();
  }

  DecoderTape Run() && {
    if (own_tokens_ == nullptr) {
      const Matrix embedded = tape_.layers[0].input.view();
      ParallelRanges(steps_.tokens(), 16, [&](int64_t begin, int64_t end) {
        Embed(embedded.Rows(begin, end - begin), begin);
      });
      Clear(steps_.Tail(embedded));
      Multiply(embedded, token_weight_, Projected(0), biases_[0].data());
    }
    ParallelFor(steps_.groups(), [this](int64_t group) { RunGroup(group); });
    Clear(steps_.Tail(readouts_));
    Clear(steps_.Tail(tape_.attended.view()));
    return std::move(tape_);
  }

 private:
  void Allocate() {
    const int64_t rows = steps_.rows();
    const size_t layers = weights_.cells.size();
    tape_.layers.resize(layers);
    for (size_t layer = 0; layer < layers; ++layer) {
      DecoderTape::Layer& part = tape_.layers[layer];
      part.input = Buffer(rows, layer == 0 ? sizes_.embedding : sizes_.hidden);
      part.gates = Buffer(rows, sizes_.width);
      if (LayoutOf(plan_.cell).memory) part.memory = Buffer(rows, sizes_.hidden);
      if (layer + 1 < layers) part.hidden = Buffer(rows, sizes_.hidden);
    }
    tape_.attended = Buffer(rows, sizes_.memory + sizes_.hidden);
    int64_t longest = 0;
    for (const Source& source : sources_) longest = std::max(longest, source.keys.rows);
    tape_.weights = Buffer(rows, longest);
  }

  Matrix Projected(size_t layer) const {
    return tape_.layers[layer].gates.view().Columns(0, sizes_.projected);
  }

  // The embeddings of the tokens of rows from `first` on.
  void Embed(Matrix embedded, int64_t first) const {
    for (int64_t i = 0; i < embedded.rows; ++i) {
      const int64_t token = tokens_[static_cast<size_t>(first + i)];
      Copy(weights_.embedding.Rows(token, 1), embedded.Rows(i, 1));
    }
    if (plan_.dropout > 0) Dropout(embedded, plan_.dropout, SeedOf(plan_, 0), first, embedded);
  }

  void RunGroup(int64_t group) {
    const Buffer products(steps_.size(group), hidden_weights_[0].columns());
    for (int64_t step = 0; step < steps_.steps(); ++step) {
      const int64_t count = steps_.count(step, group);
      if (count == 0) break;
      const auto of = [&](Matrix matrix) { return steps_.Of(matrix, step, group); };
      if (own_tokens_ != nullptr) {
        if (step > 0) ChooseTokens(group, step);
        const Matrix embedded = of(tape_.layers[0].input.view());
        Embed(embedded, steps_.begin(step, group));
        Multiply(embedded, token_weight_, of(Projected(0)), biases_[0].data());
      }
      if (plan_.input_feeding && step > 0) {
        MultiplyAdd(First(steps_.Of(readouts_, step - 1, group), count), feed_weight_,
                    of(Projected(0)));
      }
      for (size_t layer = 0; layer < weights_.cells.size(); ++layer) {
        if (layer > 0) ProjectLayerBelow(group, step, layer);
        RunCell(group, step, layer, First(products.view(), count));
      }
      Look(group, step);
      const Matrix readouts = of(readouts_);
      Multiply(of(tape_.attended.view()), readout_weight_, readouts);
      TanhForward(readouts);
    }
  }

  void ProjectLayerBelow(int64_t group, int64_t step, size_t layer) const {
    const Matrix input = steps_.Of(tape_.layers[layer].input.view(), step, group);
    const Matrix below = steps_.Of(HiddenOf(tape_, layer - 1, sizes_), step, group);
    if (plan_.dropout > 0) {
      Dropout(below, plan_.dropout, SeedOf(plan_, layer), steps_.begin(step, group), input);
    } else {
      Copy(below, input);
    }
    Multiply(input, input_weights_[layer], steps_.Of(Projected(layer), step, group),
             biases_[layer].data());
  }

  void RunCell(int64_t group, int64_t step, size_t layer, Matrix products) const {
    const DecoderTape::Layer& part = tape_.layers[layer];
    const Matrix hidden = HiddenOf(tape_, layer, sizes_);
    const Matrix memory = part.memory.view();
    GateStep cell;
    cell.gates = steps_.Of(part.gates.view(), step, group);
    cell.hidden = steps_.Of(hidden, step, group);
    cell.hidden_before = Before(steps_, group, hidden, start_.hidden[layer].view(), step);
    if (memory.data != nullptr) {
      cell.memory = steps_.Of(memory, step, group);
      cell.memory_before = Before(steps_, group, memory, start_.memory[layer].view(), step);
    }
    Multiply(cell.hidden_before, hidden_weights_[layer], products);
    cell.recurrent = products;
    GatesForward(plan_.cell, FormulaWeights(plan_.cell, weights_.cells[layer]), cell);
  }

  // Attention of the last layer's outputs.
  void Look(int64_t group, int64_t step) const {
    const Matrix attended = steps_.Of(tape_.attended.view(), step, group);
    const Matrix weights = steps_.Of(tape_.weights.view(), step, group);
    for (int64_t i = 0; i < attended.rows; ++i) {
      const auto sentence = static_cast<size_t>(steps_.sequence(group, i));
      Attend(sources_[sentence], attended.row(i) + sizes_.memory, weights.row(i), attended.row(i));
    }
  }

  // Replaces the tokens of a step, where they are to be the decoder's own, by what the readouts of
  // the step before say.
  void ChooseTokens(int64_t group, int64_t step) const {
    const Matrix before = steps_.Of(readouts_, step - 1, group);
    const int64_t first = steps_.begin(step, group);
    std::vector<int64_t> own;
    for (int64_t i = 0; i < steps_.count(step, group); ++i) {
      if (own_tokens_->own[static_cast<size_t>(first + i)]) own.push_back(i);
    }
    const auto count = static_cast<int64_t>(own.size());
    const Buffer readouts(count, sizes_.readout);
    for (int64_t i = 0; i < count; ++i) {
      Copy(before.Rows(own[static_cast<size_t>(i)], 1), readouts.view().Rows(i, 1));
    }
    const Buffer scores(count, own_tokens_->output->columns());
    Multiply(readouts.view(), *own_tokens_->output, scores.view(), own_tokens_->output_bias);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = first + own[static_cast<size_t>(i)];
      tokens_[static_cast<size_t>(row)] = Choose(scores.view().Rows(i, 1), row);
    }
  }

  int64_t Choose(Matrix scores, int64_t row) const {
    float* begin = scores.data;
    float* end = begin + scores.columns;
    const float* highest = std::max_element(begin, end);
    if (!own_tokens_->sample) return highest - begin;
    const float offset = *highest;
    double total = 0;
    for (float* score = begin; score < end; ++score) {
      *score = std::exp(*score - offset);
      total += static_cast<double>(*score);
    }
    const uint64_t bits =
        DeriveSeed({SeedOf(plan_, weights_.cells.size()), static_cast<uint64_t>(row)});
    double left = std::ldexp(static_cast<double>(bits >> 11), -53) * total;
    for (const float* score = begin; score < end; ++score) {
      left -= static_cast<double>(*score);
      if (left < 0) return score - begin;
    }
    return highest - begin;
  }

  const DecoderPlan& plan_;
  const DecoderWeights& weights_;
  const Sizes sizes_;
  const Steps& steps_;
  const SortedStart start_;
  const absl::Span<const Source> sources_;
  const OwnTokens* const own_tokens_;
  const absl::Span<int64_t> tokens_;
  const Matrix readouts_;
  PackedMatrix token_weight_;
  PackedMatrix feed_weight_;
  PackedMatrix readout_weight_;
  std::vector<PackedMatrix> input_weights_;
  std::vector<PackedMatrix> hidden_weights_;
  std::vector<std::vector<float>> biases_;
  DecoderTape tape_;
};

class BackwardPass {
 public:
  BackwardPass(const DecoderPlan& plan, const DecoderWeights& weights, const DecoderStart& start,
               absl::Span<const Source> sources, ConstMatrix readouts, ConstMatrix readout_gradient,
               const DecoderTape& tape)
      : plan_(plan),
        weights_(weights),
        sizes_(plan, weights),
        steps_(*plan.steps),
        start_(start, steps_),
        sources_(sources),
        readouts_(readouts),
        readout_gradient_(readout_gradient),
        tape_(tape),
        before_readout_(steps_.rows(), sizes_.readout),
        attended_(steps_.rows(), tape.attended.view().columns),
        scores_(steps_.rows(), tape.weights.view().columns) {
    const ConstMatrix input = weights.cells[0].input;
    if (plan.input_feeding) {
      feed_weight_ =
          PackedMatrix::Pack(input.Columns(sizes_.embedding, sizes_.readout), plan.precision);
    }
    readout_weight_ = PackedMatrix::Pack(weights.readout, plan.precision);
    for (size_t layer = 0; layer < weights.cells.size(); ++layer) {
      const CellWeights& cell = weights.cells[layer];
      input_weights_.push_back(layer == 0 ? PackedMatrix()
                                          : PackedMatrix::Pack(cell.input, plan.precision));
      hidden_gradients_.emplace_back(plan.cell, cell, plan.precision);
    }
  }

  void RunSteps(const DecoderStartGradient& start_gradient) {
    ParallelFor(steps_.groups(), [&](int64_t group) { RunGroup(group, start_gradient); });
    for (const DecoderTape::Layer& layer : tape_.layers) {
      Clear(steps_.Tail(layer.gates.view()));
      Clear(steps_.Tail(layer.input.view()));
    }
    Clear(steps_.Tail(before_readout_.view()));
    feed_weight_ = PackedMatrix();
    readout_weight_ = PackedMatrix();
    input_weights_.clear();
    hidden_gradients_.clear();
  }

  void FillMemoryGradients(absl::Span<const Matrix> keys, absl::Span<const Matrix> values) const {
    ParallelFor(steps_.groups(), [&](int64_t group) {
      for (int64_t i = 0; i < steps_.size(group); ++i) {
        const auto sentence = static_cast<size_t>(steps_.sequence(group, i));
        const int64_t source = keys[sentence].rows;
        const auto of = [&](ConstMatrix rows) { return RowsOf(group, i, rows); };
        SumOfOuterProducts(of(scores_.view().Columns(0, source)).view(),
                           of(tape_.attended.view().Columns(sizes_.memory, sizes_.hidden)).view(),
                           keys[sentence]);
        SumOfOuterProducts(of(tape_.weights.view().Columns(0, source)).view(),
                           of(attended_.view().Columns(0, sizes_.memory)).view(), values[sentence]);
      }
    });
  }

  void FillWeightGradients(const DecoderGradients& gradients) const {
    const Precision precision = plan_.precision;
    MultiplyTransposed(Operand(before_readout_.view(), precision),
                       Operand(tape_.attended.view(), precision), gradients.readout);
    for (size_t layer = 0; layer < weights_.cells.size(); ++layer) {
      const DecoderTape::Layer& part = tape_.layers[layer];
      const CellGradients& cell = gradients.cells[layer];
      const Matrix gates = part.gates.view();
      const Operand projected(gates.Columns(0, sizes_.projected), precision);
      const Operand input(part.input.view(), precision);
      const Buffer hidden =
          StatesBefore(HiddenOf(tape_, layer, sizes_), start_.hidden[layer].view());
      Buffer memory;
      if (cell.peephole != nullptr) {
        Clear(steps_.Tail(part.memory.view()));
        memory = StatesBefore(part.memory.view(), start_.memory[layer].view());
      }
      FillCellGradients(plan_.cell, gates, projected, hidden.view(), memory.view(),
                        part.memory.view(), cell);
      if (layer > 0) {
        MultiplyTransposed(projected, input, cell.input);
        continue;
      }
      MultiplyTransposed(projected, input, cell.input.Columns(0, sizes_.embedding));
      if (plan_.input_feeding) {
        const Buffer readouts = StatesBefore(readouts_, Matrix());
        MultiplyTransposed(projected, Operand(readouts.view(), precision),
                           cell.input.Columns(sizes_.embedding, sizes_.readout));
      }
      Multiply(projected,
               PackedMatrix::Pack(weights_.cells[0].input.Columns(0, sizes_.embedding), precision),
               gradients.embedded);
    }
    if (plan_.dropout > 0) {
      ParallelRanges(steps_.rows(), 16, [&](int64_t begin, int64_t end) {
        const Matrix rows = gradients.embedded.Rows(begin, end - begin);
        Dropout(rows, plan_.dropout, SeedOf(plan_, 0), begin, rows);
      });
    }
  }

 private:
  void RunGroup(int64_t group, const DecoderStartGradient& start_gradient) {
    const int64_t rows = steps_.size(group);
    const size_t layers = weights_.cells.size();
    std::vector<Buffer> hidden;  // Gradients that a step leaves to the one before, one a layer.
    std::vector<Buffer> memory;
    for (size_t layer = 0; layer < layers; ++layer) {
      hidden.emplace_back(rows, sizes_.hidden);
      memory.emplace_back(rows, sizes_.hidden);
      Clear(hidden[layer].view());
      Clear(memory[layer].view());
    }
    const Buffer feed(rows, sizes_.readout);
    Clear(feed.view());
    const Buffer below(rows, sizes_.hidden);

    for (int64_t step = steps_.steps() - 1; step >= 0; --step) {
      const int64_t count = steps_.count(step, group);
      if (count == 0) continue;
      LookBackward(group, step, First(feed.view(), count), First(hidden.back().view(), count));
      for (size_t layer = layers; layer-- > 0;) {
        const Matrix hidden_gradient = First(hidden[layer].view(), count);
        RunCellBackward(group, step, layer, hidden_gradient, First(memory[layer].view(), count));
        const Matrix gates = steps_.Of(tape_.layers[layer].gates.view(), step, group);
        hidden_gradients_[layer].Add(gates, hidden_gradient);
        const Matrix projected = gates.Columns(0, sizes_.projected);
        if (layer > 0) {
          const Matrix input = First(below.view(), count);
          Multiply(projected, input_weights_[layer], input);
          if (plan_.dropout > 0) {
            Dropout(input, plan_.dropout, SeedOf(plan_, layer), steps_.begin(step, group), input);
          }
          Add(input, First(hidden[layer - 1].view(), count));
        } else if (plan_.input_feeding && step > 0) {
          Multiply(projected, feed_weight_, First(feed.view(), count));
        }
      }
    }
    for (size_t layer = 0; layer < layers; ++layer) {
      for (int64_t i = 0; i < rows; ++i) {
        const int64_t sentence = steps_.sequence(group, i);
        Copy(hidden[layer].view().Rows(i, 1), start_gradient.hidden[layer].Rows(sentence, 1));
        if (layer >= start_gradient.memory.size()) continue;
        Copy(memory[layer].view().Rows(i, 1), start_gradient.memory[layer].Rows(sentence, 1));
      }
    }
  }

  // From the readouts of a step to the last layer's outputs: adds to `hidden`.
  void LookBackward(int64_t group, int64_t step, ConstMatrix feed, Matrix hidden) const {
    const auto of = [&](auto rows) { return steps_.Of(rows, step, group); };
    const Matrix before = of(before_readout_.view());
    Copy(of(readout_gradient_), before);
    Add(feed, before);
    TanhBackward(of(readouts_), before);
    const Matrix attended = of(attended_.view());
    Multiply(before, readout_weight_, attended);
    Add(attended.Columns(sizes_.memory, sizes_.hidden), hidden);
    const Matrix weights = of(tape_.weights.view());
    const Matrix scores = of(scores_.view());
    for (int64_t i = 0; i < attended.rows; ++i) {
      const auto sentence = static_cast<size_t>(steps_.sequence(group, i));
      AttendBackward(sources_[sentence], weights.row(i), attended.row(i), scores.row(i),
                     hidden.row(i));
    }
  }

  void RunCellBackward(int64_t group, int64_t step, size_t layer, Matrix hidden_gradient,
                       Matrix memory_gradient) const {
    const DecoderTape::Layer& part = tape_.layers[layer];
    const Matrix hidden = HiddenOf(tape_, layer, sizes_);
    const Matrix memory = part.memory.view();
    GateStepGradient cell;
    cell.gates = steps_.Of(part.gates.view(), step, group);
    cell.hidden = steps_.Of(hidden, step, group);
    cell.hidden_before = Before(steps_, group, hidden, start_.hidden[layer].view(), step);
    if (memory.data != nullptr) {
      cell.memory = steps_.Of(memory, step, group);
      cell.memory_before = Before(steps_, group, memory, start_.memory[layer].view(), step);
    }
    cell.hidden_gradient = hidden_gradient;
    cell.memory_gradient = memory_gradient;
    GatesBackward(plan_.cell, FormulaWeights(plan_.cell, weights_.cells[layer]), cell);
  }

  // The state that each row started from: [row, hidden]. An empty start is zero.
  Buffer StatesBefore(ConstMatrix states, Matrix start) const {
    Buffer before(steps_.rows(), states.columns);
    ParallelFor(steps_.steps() * steps_.groups(), [&](int64_t task) {
      const int64_t step = task / steps_.groups();
      const int64_t group = task % steps_.groups();
      const Matrix rows = steps_.Of(before.view(), step, group);
      if (step == 0 && start.data == nullptr) return Clear(rows);
      Copy(Before<const float>(steps_, group, states, start, step), rows);
    });
    Clear(steps_.Tail(before.view()));
    return before;
  }

  // The rows of one sentence, step after step.
  Buffer RowsOf(int64_t group, int64_t i, ConstMatrix rows) const {
    Buffer own(steps_.length(group, i), rows.columns);
    for (int64_t step = 0; step < steps_.length(group, i); ++step) {
      Copy(rows.Rows(steps_.begin(step, group) + i, 1), own.view().Rows(step, 1));
    }
    return own;
  }

  const DecoderPlan& plan_;
  const DecoderWeights& weights_;
  const Sizes sizes_;
  const Steps& steps_;
  const SortedStart start_;
  const absl::Span<const Source> sources_;
  const ConstMatrix readouts_;
  const ConstMatrix readout_gradient_;
  const DecoderTape& tape_;
  const Buffer before_readout_;  // Gradients before tanh, [row, readout].
  const Buffer attended_;        // [row, memory + hidden]
  const Buffer scores_;          // [row, source]
  PackedMatrix feed_weight_;
  PackedMatrix readout_weight_;
  std::vector<PackedMatrix> input_weights_;
  std::vector<HiddenGradient> hidden_gradients_;
};

}  // namespace

DecoderTape DecoderForward(const DecoderPlan& plan, const DecoderWeights& weights,
                           const DecoderStart& start, absl::Span<const Source> sources,
                           const OwnTokens* own_tokens, absl::Span<int64_t> tokens,
                           Matrix readouts) {
  return ForwardPass(plan, weights, start, sources, own_tokens, tokens, readouts).Run();
}

void DecoderBackward(const DecoderPlan& plan, const DecoderWeights& weights,
                     const DecoderStart& start, absl::Span<const Source> sources,
                     ConstMatrix readouts, ConstMatrix readout_gradient, DecoderTape& tape,
                     const DecoderGradients& gradients, const DecoderStartGradient& start_gradient,
                     absl::Span<const Matrix> key_gradients,
                     absl::Span<const Matrix> value_gradients) {
  BackwardPass pass(plan, weights, start, sources, readouts, readout_gradient, tape);
  pass.RunSteps(start_gradient);
  pass.FillMemoryGradients(key_gradients, value_gradients);
  pass.FillWeightGradients(gradients);
}

}  // namespace seq2seq
