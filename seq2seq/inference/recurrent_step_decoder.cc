#include "seq2seq/inference/recurrent_step_decoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "seq2seq/inference/packed_weights.h"
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

std::vector<PackedCell> PackAndDropCells(CellKind kind, std::vector<CellArrays>& cells,
                                         Precision precision) {
  std::vector<CellWeights> weights;
  for (const CellArrays& cell : cells) weights.push_back(ViewCell(cell));
  std::vector<PackedCell> packed = PackCells(kind, weights, precision);
  for (CellArrays& cell : cells) DropPacked(cell);
  return packed;
}

// Rows of a buffer that only some decoders use.
int64_t RowsIf(bool used, int64_t rows) { return used ? rows : 0; }

}  // namespace

PackedDecoder::PackedDecoder(const DecoderOptions& options, int64_t memory, DecoderArrays& arrays,
                             Precision precision)
    : options(options),
      cells(PackAndDropCells(options.cell, arrays.cells, precision)),
      attention(MakeInferenceAttention(options, memory, arrays.attention, precision)),
      attentional(PackAndDrop(arrays.attentional, precision)),
      arrays(arrays) {}

int64_t PackedDecoder::packed_bytes() const {
  return PackedBytes(cells) + attention->packed_bytes() + attentional.bytes();
}

DecoderRows::DecoderRows(const PackedDecoder& decoder, int64_t rows, int64_t longest)
    : attentional_state(rows, decoder.attentional.columns()),
      past(RowsIf(HasPast(decoder.options.attention), rows), longest) {
  for (const PackedCell& cell : decoder.cells) {
    hidden.emplace_back(rows, cell.hidden.rows());
    cell_state.emplace_back(RowsIf(HasCellState(cell.kind), rows), cell.hidden.rows());
  }
}

RecurrentStepDecoder::RecurrentStepDecoder(const PackedDecoder& decoder, const PackedOutput& output,
                                           DecoderRows start, BatchMemory memory)
    : decoder_(decoder),
      output_(output),
      memory_(std::move(memory)),
      before_(decoder, 0, 0),
      after_(std::move(start)) {
  for (const AttentionMemory& source : memory_.sentences)
    longest_ = std::max(longest_, source.keys.rows);
}

absl::Span<const float> RecurrentStepDecoder::Attention(size_t row) const {
  return {attention_.view().row(static_cast<int64_t>(row)),
          static_cast<size_t>(SourceOf(rows_[row]).keys.rows)};
}

void RecurrentStepDecoder::Reserve(int64_t rows) {
  capacity_ = rows;
  const PackedCell& cell = decoder_.cells[0];
  const int64_t hidden = cell.hidden.rows();
  before_ = DecoderRows(decoder_, rows, longest_);
  input_ = Buffer(rows, cell.input.rows());
  hidden_before_ = Buffer(rows, hidden);
  cell_state_before_ = Buffer(RowsIf(HasCellState(cell.kind), rows), hidden);
  gates_ = Buffer(rows, LayoutOf(cell.kind).width * hidden);
  products_ = Buffer(rows, cell.hidden.columns());
  outputs_ = Buffer(RowsIf(decoder_.options.residual, rows), hidden);
  queries_ = Buffer(rows, decoder_.attention->query().columns());
  attended_ = Buffer(rows, decoder_.attentional.rows());
  attention_ = Buffer(rows, longest_);
  scores_ = Buffer(rows, output_.weight.columns());
  normalizers_.resize(static_cast<size_t>(rows));
}

void RecurrentStepDecoder::Step(absl::Span<const Extension> rows) {
  rows_.assign(rows.begin(), rows.end());
  const int64_t groups = GroupsFor(size(), /*side_by_side=*/1);
  const int64_t group_size = Rounded((size() + groups - 1) / groups);
  const int64_t needed = Rounded(size());
  // The new state goes to the buffers of the state before the last.
  std::swap(before_, after_);
  if (needed > capacity_) {
    DecoderRows state = before_;
    Reserve(needed);
    after_ = std::exchange(before_, std::move(state));
  } else if (after_.attentional_state.view().rows < capacity_) {
    after_ = DecoderRows(decoder_, capacity_, longest_);
  }
  ParallelFor((size() + group_size - 1) / group_size, [&](int64_t group) {
    const int64_t begin = group * group_size;
    const int64_t count = std::min(group_size, Rounded(size() - begin));
    RunGroup(
        absl::MakeConstSpan(rows_).subspan(static_cast<size_t>(begin), static_cast<size_t>(count)),
        begin, count);
  });
}

void RecurrentStepDecoder::RunGroup(absl::Span<const Extension> rows, int64_t begin,
                                    int64_t count) {
  const auto mine = [&](const Buffer& buffer) { return buffer.view().Rows(begin, count); };
  const Matrix outputs = RunCells(rows, begin, count);
  const Matrix attended = mine(attended_);
  const int64_t context = attended.columns - outputs.columns;
  Copy(outputs, attended.Columns(context, outputs.columns));
  Attend(rows, outputs, begin, attended.Columns(0, context));

  const Matrix attentional_states = mine(after_.attentional_state);
  Multiply(attended, decoder_.attentional, attentional_states);
  TanhForward(attentional_states);
  Multiply(attentional_states, output_.weight, mine(scores_), output_.bias.view().data);
  LogSumExp(First(mine(scores_), static_cast<int64_t>(rows.size())), normalizers_.data() + begin);
}

void RecurrentStepDecoder::MakeInput(absl::Span<const Extension> rows, Matrix input) const {
  const int64_t embedding = decoder_.options.embedding;
  const Matrix tokens = input.Columns(0, embedding);
  int64_t next = 0;
  for (const Extension& row : rows)
    CopyRow(decoder_.arrays.embedding, row.token, tokens.row(next++));
  Clear(Rest(tokens, next));
  if (!decoder_.options.input_feeding) return;
  Gather(before_.attentional_state.view(), rows,
         input.Columns(embedding, input.columns - embedding));
}

Matrix RecurrentStepDecoder::RunCells(absl::Span<const Extension> rows, int64_t begin,
                                      int64_t count) {
  const auto mine = [&](const Buffer& buffer) { return buffer.view().Rows(begin, count); };
  MakeInput(rows, mine(input_));
  Matrix output = mine(input_);
  for (size_t layer = 0; layer < decoder_.cells.size(); ++layer) {
    RunCell(layer, rows, output, begin, count);
    const Matrix hidden = mine(after_.hidden[layer]);
    if (layer == 0 || !decoder_.options.residual) {
      output = hidden;
      continue;
    }
    if (layer == 1) Copy(output, mine(outputs_));
    Add(hidden, mine(outputs_));
    output = mine(outputs_);
  }
  return output;
}

void RecurrentStepDecoder::RunCell(size_t layer, absl::Span<const Extension> rows,
                                   ConstMatrix input, int64_t begin, int64_t count) {
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

void RecurrentStepDecoder::Attend(absl::Span<const Extension> rows, Matrix outputs, int64_t begin,
                                  Matrix contexts) {
  const auto mine = [&](const Buffer& buffer) { return buffer.view().Rows(begin, outputs.rows); };
  const InferenceAttention& attention = *decoder_.attention;
  const bool projected = attention.query().columns() > 0;
  if (projected) Multiply(outputs, attention.query(), mine(queries_));
  const Matrix queries = projected ? mine(queries_) : outputs;
  const bool has_past = HasPast(decoder_.options.attention);
  const Array& gate = decoder_.arrays.gate;
  int64_t next = 0;
  for (const Extension& row : rows) {
    const int64_t i = next++;
    const AttentionMemory& source = SourceOf(row);
    float* past = nullptr;
    if (has_past) {
      past = mine(after_.past).row(i);
      std::copy_n(before_.past.view().row(row.parent), source.keys.rows, past);
    }
    float* const weights = mine(attention_).row(i);
    attention.Attend(source, queries.row(i), past, weights, contexts.row(i));
    attention.UpdatePast(weights, source.keys.rows, past);
    if (!gate.defined()) continue;
    float opening;
    DotScores(gate.matrix(), outputs.row(i), &opening);
    opening = 1 / (1 + std::exp(-opening - *decoder_.arrays.gate_bias.values<float>()));
    Scale(contexts.Rows(i, 1), opening);
  }
  Clear(Rest(contexts, next));
}

}  // namespace seq2seq
