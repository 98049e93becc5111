#include "seq2seq/inference/recurrent_step_decoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "seq2seq/inference/packed_weights.h"

namespace seq2seq {
namespace {

// Gathers the parents of `rows` from a state; zero past the last of them.
void Gather(ConstMatrix state, absl::Span<const Extension> rows, Matrix gathered) {
  int64_t next = 0;
  for (const Extension& row : rows) Copy(state.Rows(row.parent, 1), gathered.Rows(next++, 1));
  Clear(Rest(gathered, next));
}

std::vector<PackedCell> PackAndDropCells(CellKind kind, absl::Span<CellArrays> cells,
                                         Precision precision) {
  std::vector<CellWeights> weights;
  for (const CellArrays& cell : cells) weights.push_back(ViewCell(cell));
  std::vector<PackedCell> packed = PackCells(kind, weights, precision);
  for (CellArrays& cell : cells) DropPacked(cell);
  return packed;
}

// Rows of a buffer that only some decoders use.
int64_t RowsIf(bool used, int64_t rows) { return used ? rows : 0; }

int64_t LongestOf(const BatchMemory& memory) {
  int64_t longest = 0;
  for (const AttentionMemory& source : memory.sentences)
    longest = std::max(longest, source.keys.rows);
  return longest;
}

}  // namespace

PackedDecoder::PackedDecoder(const DecoderOptions& options, int64_t memory, DecoderArrays& arrays,
                             Precision precision)
    : options(options),
      cells(PackAndDropCells(options.cell, absl::MakeSpan(arrays.cells), precision)),
      context_cell(PackAndDropCells(
          options.cell, absl::MakeSpan(&arrays.context_cell, options.conditional ? 1 : 0),
          precision)),
      attention(MakeInferenceAttention(options, memory, arrays.attention, precision)),
      attentional(PackAndDrop(arrays.attentional, precision)),
      arrays(arrays) {}

int64_t PackedDecoder::packed_bytes() const {
  return PackedBytes(cells) + PackedBytes(context_cell) + attention->packed_bytes() +
         attentional.bytes();
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
    : GroupedStepDecoder(output, LongestOf(memory)),
      decoder_(decoder),
      memory_(std::move(memory)),
      before_(decoder, 0, 0),
      after_(std::move(start)) {}

void RecurrentStepDecoder::Reserve(int64_t rows) {
  const PackedCell& cell = decoder_.cells[0];
  const int64_t hidden = cell.hidden.rows();
  before_ = DecoderRows(decoder_, rows, longest());
  input_ = Buffer(rows, cell.input.rows());
  hidden_before_ = Buffer(rows, hidden);
  cell_state_before_ = Buffer(RowsIf(HasCellState(cell.kind), rows), hidden);
  gates_ = Buffer(rows, LayoutOf(cell.kind).width * hidden);
  products_ = Buffer(rows, cell.hidden.columns());
  outputs_ = Buffer(RowsIf(decoder_.options.residual, rows), hidden);
  queries_ = Buffer(rows, decoder_.attention->query().columns());
  attended_ = Buffer(rows, decoder_.attentional.rows());
}

void RecurrentStepDecoder::BeginStep(int64_t, bool grows) {
  // The new state goes to the buffers of the state before the last.
  std::swap(before_, after_);
  if (grows) {
    DecoderRows state = before_;
    Reserve(capacity());
    after_ = std::exchange(before_, std::move(state));
  } else if (after_.attentional_state.view().rows < capacity()) {
    after_ = DecoderRows(decoder_, capacity(), longest());
  }
}

void RecurrentStepDecoder::RunGroup(const Group& group) {
  Matrix outputs = RunCells(group);
  const Matrix attended = group.Of(attended_);
  const Matrix contexts = attended.Columns(0, attended.columns - outputs.columns);
  Attend(group, outputs, contexts);
  if (decoder_.options.conditional) outputs = RunContextCell(group, contexts);
  Copy(outputs, attended.Columns(contexts.columns, outputs.columns));

  const Matrix attentional_states = group.Of(after_.attentional_state);
  Multiply(attended, decoder_.attentional, attentional_states);
  TanhForward(attentional_states);
  Score(attentional_states, group);
}

void RecurrentStepDecoder::MakeInput(const Group& group, Matrix input) const {
  const int64_t embedding = decoder_.options.embedding;
  const Matrix tokens = input.Columns(0, embedding);
  int64_t next = 0;
  for (const Extension& row : group.rows)
    CopyRow(decoder_.arrays.embedding, row.token, tokens.row(next++));
  Clear(Rest(tokens, next));
  if (!decoder_.options.input_feeding) return;
  Gather(before_.attentional_state.view(), group.rows,
         input.Columns(embedding, input.columns - embedding));
}

Matrix RecurrentStepDecoder::RunCells(const Group& group) {
  MakeInput(group, group.Of(input_));
  Matrix output = group.Of(input_);
  for (size_t layer = 0; layer < decoder_.cells.size(); ++layer) {
    RunCell(layer, group, output);
    const Matrix hidden = group.Of(after_.hidden[layer]);
    if (layer == 0 || !decoder_.options.residual) {
      output = hidden;
      continue;
    }
    if (layer == 1) Copy(output, group.Of(outputs_));
    Add(hidden, group.Of(outputs_));
    output = group.Of(outputs_);
  }
  return output;
}

void RecurrentStepDecoder::RunCell(size_t layer, const Group& group, ConstMatrix input) {
  Gather(before_.hidden[layer].view(), group.rows, group.Of(hidden_before_));
  if (HasCellState(decoder_.options.cell))
    Gather(before_.cell_state[layer].view(), group.rows, group.Of(cell_state_before_));
  Advance(decoder_.cells[layer], layer, group, input);
}

Matrix RecurrentStepDecoder::RunContextCell(const Group& group, ConstMatrix contexts) {
  const size_t last = decoder_.cells.size() - 1;
  Copy(group.Of(after_.hidden[last]), group.Of(hidden_before_));
  if (HasCellState(decoder_.options.cell))
    Copy(group.Of(after_.cell_state[last]), group.Of(cell_state_before_));
  Advance(decoder_.context_cell[0], last, group, contexts);
  return group.Of(after_.hidden[last]);
}

void RecurrentStepDecoder::Advance(const PackedCell& cell, size_t layer, const Group& group,
                                   ConstMatrix input) {
  GateStep step;
  step.gates = group.Of(gates_);
  step.recurrent = group.Of(products_);
  step.hidden_before = group.Of(hidden_before_);
  step.hidden = group.Of(after_.hidden[layer]);
  if (HasCellState(cell.kind)) {
    step.cell_state_before = group.Of(cell_state_before_);
    step.cell_state = group.Of(after_.cell_state[layer]);
  }
  Multiply(input, cell.input, step.gates.Columns(0, cell.input.columns()), cell.input_bias.data());
  Multiply(step.hidden_before, cell.hidden, group.Of(products_));
  GatesForward(cell.kind, cell.formula, step);
}

void RecurrentStepDecoder::Attend(const Group& group, Matrix outputs, Matrix contexts) {
  const InferenceAttention& attention = *decoder_.attention;
  const bool projected = attention.query().columns() > 0;
  if (projected) Multiply(outputs, attention.query(), group.Of(queries_));
  const Matrix queries = projected ? group.Of(queries_) : outputs;
  const bool has_past = HasPast(decoder_.options.attention);
  const Array& gate = decoder_.arrays.gate;
  int64_t next = 0;
  for (const Extension& row : group.rows) {
    const int64_t i = next++;
    const AttentionMemory& source = SourceOf(row);
    float* past = nullptr;
    if (has_past) {
      past = group.Of(after_.past).row(i);
      std::copy_n(before_.past.view().row(row.parent), source.keys.rows, past);
    }
    float* const weights = group.Of(attention_weights()).row(i);
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
