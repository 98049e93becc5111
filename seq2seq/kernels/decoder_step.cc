#include "seq2seq/kernels/decoder_step.h"

#include <algorithm>
#include <utility>

#include "seq2seq/kernels/log_sum_exp.h"
#include "seq2seq/kernels/packed_sequence.h"
#include "seq2seq/kernels/parallel.h"

namespace seq2seq {
namespace {

// Rounds larger numbers of rows up, so that matrix products have few different shapes.
int64_t Rounded(int64_t rows) { return rows <= 16 ? rows : (rows + 7) / 8 * 8; }

// Gathers the parents of `rows` from a state; zero past the last of them.
void Gather(ConstMatrix state, absl::Span<const Extension> rows, Matrix gathered) {
  int64_t next = 0;
  for (const Extension& row : rows) Copy(state.Rows(row.parent, 1), gathered.Rows(next++, 1));
  Clear(Rest(gathered, next));
}

}  // namespace

PackedDecoder::PackedDecoder(CellKind kind, const DecoderWeights& weights, Precision precision)
    : embedding(weights.embedding),
      cells(PackCells(kind, weights.cells, precision)),
      attentional(PackedMatrix::PackTransposed(weights.attentional, precision)) {}

DecoderRows::DecoderRows(const PackedDecoder& decoder, int64_t rows)
    : attentional_state(rows, decoder.attentional.columns()) {
  for (const PackedCell& cell : decoder.cells) {
    hidden.emplace_back(rows, cell.hidden.rows());
    cell_state.emplace_back(HasCellState(cell.kind) ? rows : 0, cell.hidden.rows());
  }
}

DecoderStepper::DecoderStepper(const PackedDecoder& decoder, const PackedOutput& output,
                               DecoderRows start, absl::Span<const AttentionMemory> sources)
    : decoder_(decoder),
      output_(output),
      sources_(sources),
      before_(decoder, 0),
      after_(std::move(start)) {}

void DecoderStepper::Reserve(int64_t rows) {
  if (rows <= capacity_) return;
  capacity_ = rows;
  const PackedCell& cell = decoder_.cells[0];
  const GateLayout& layout = LayoutOf(cell.kind);
  const int64_t hidden = cell.hidden.rows();
  int64_t longest = 0;
  for (const AttentionMemory& source : sources_) longest = std::max(longest, source.keys.rows);
  before_ = DecoderRows(decoder_, rows);
  input_ = Buffer(rows, cell.input.rows());
  hidden_before_ = Buffer(rows, hidden);
  cell_state_before_ = Buffer(HasCellState(cell.kind) ? rows : 0, hidden);
  gates_ = Buffer(rows, layout.width * hidden);
  products_ = Buffer(rows, cell.hidden.columns());
  attended_ = Buffer(rows, decoder_.attentional.rows());
  attention_ = Buffer(rows, longest);
  scores_ = Buffer(rows, output_.weight.columns());
  normalizers_.resize(static_cast<size_t>(rows));
}

void DecoderStepper::Step(absl::Span<const Extension> rows) {
  count_ = static_cast<int64_t>(rows.size());
  const int64_t groups = GroupsFor(count_, /*side_by_side=*/1);
  const int64_t size = Rounded((count_ + groups - 1) / groups);
  const int64_t needed = Rounded(count_);
  // The new state goes to the buffers of the state before the last.
  std::swap(before_, after_);
  if (needed > capacity_) {
    DecoderRows state = before_;
    Reserve(needed);
    after_ = std::exchange(before_, std::move(state));
  } else if (after_.attentional_state.view().rows < capacity_) {
    after_ = DecoderRows(decoder_, capacity_);
  }
  ParallelFor((count_ + size - 1) / size, [&](int64_t group) {
    const int64_t begin = group * size;
    const int64_t count = std::min(size, Rounded(count_ - begin));
    RunGroup(rows.subspan(static_cast<size_t>(begin), static_cast<size_t>(count)), begin, count);
  });
}

void DecoderStepper::RunGroup(absl::Span<const Extension> rows, int64_t begin, int64_t count) {
  const auto mine = [&](const Buffer& buffer) { return buffer.view().Rows(begin, count); };
  MakeInput(rows, mine(input_));
  for (size_t layer = 0; layer < decoder_.cells.size(); ++layer) {
    RunCell(layer, rows, layer == 0 ? mine(input_) : mine(after_.hidden[layer - 1]), begin, count);
  }

  const Matrix outputs = mine(after_.hidden.back());
  const Matrix attended = mine(attended_);
  const int64_t context = attended.columns - outputs.columns;
  Copy(outputs, attended.Columns(context, outputs.columns));
  const auto real = static_cast<int64_t>(rows.size());
  for (int64_t i = 0; i < real; ++i) {
    const AttentionMemory& source =
        sources_[static_cast<size_t>(rows[static_cast<size_t>(i)].sentence)];
    Attend(source, outputs.row(i), mine(attention_).row(i), attended.row(i));
  }
  Clear(Rest(attended.Columns(0, context), real));

  const Matrix attentional_states = mine(after_.attentional_state);
  Multiply(attended, decoder_.attentional, attentional_states);
  TanhForward(attentional_states);
  Multiply(attentional_states, output_.weight, mine(scores_), output_.bias.view().data);
  LogSumExp(First(mine(scores_), real), normalizers_.data() + begin);
}

void DecoderStepper::MakeInput(absl::Span<const Extension> rows, Matrix input) const {
  const int64_t embedding = decoder_.embedding.columns;
  const Matrix tokens = input.Columns(0, embedding);
  int64_t next = 0;
  for (const Extension& row : rows)
    Copy(decoder_.embedding.Rows(row.token, 1), tokens.Rows(next++, 1));
  Clear(Rest(tokens, next));
  if (!decoder_.input_feeding()) return;
  Gather(before_.attentional_state.view(), rows,
         input.Columns(embedding, input.columns - embedding));
}

void DecoderStepper::RunCell(size_t layer, absl::Span<const Extension> rows, ConstMatrix input,
                             int64_t begin, int64_t count) {
  const auto mine = [&](const Buffer& buffer) { return buffer.view().Rows(begin, count); };
  const PackedCell& cell = decoder_.cells[layer];
  Gather(before_.hidden[layer].view(), rows, mine(hidden_before_));
  GateStep step;
  step.gates = mine(gates_);
  step.recurrent = mine(products_);
  step.hidden_before = mine(hidden_before_);
  step.hidden = mine(after_.hidden[layer]);
  if (HasCellState(cell.kind)) {
    Gather(before_.cell_state[layer].view(), rows, mine(cell_state_before_));
    step.cell_state_before = mine(cell_state_before_);
    step.cell_state = mine(after_.cell_state[layer]);
  }
  Multiply(input, cell.input, step.gates.Columns(0, cell.input.columns()), cell.input_bias.data());
  Multiply(step.hidden_before, cell.hidden, mine(products_));
  GatesForward(cell.kind, cell.formula, step);
}

}  // namespace seq2seq
