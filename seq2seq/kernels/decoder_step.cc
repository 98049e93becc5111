#include "seq2seq/kernels/decoder_step.h"

#include <algorithm>

#include "absl/functional/function_ref.h"

#include "seq2seq/kernels/log_sum_exp.h"
#include "seq2seq/kernels/parallel.h"
#include "seq2seq/kernels/steps.h"

namespace seq2seq {
namespace {

// Products are compiled for each number of rows: above some, only round ones occur.
int64_t Rounded(int64_t rows) { return rows <= 16 ? rows : (rows + 7) / 8 * 8; }

// Calls with a range of rows for each thread; the rows behind the last are room to round up.
void ForEachGroup(int64_t rows, absl::FunctionRef<void(int64_t begin, int64_t count)> run) {
  const int64_t groups = GroupsFor(rows, /*side_by_side=*/1);
  const int64_t size = Rounded((rows + groups - 1) / groups);
  ParallelFor((rows + size - 1) / size, [&](int64_t group) {
    const int64_t begin = group * size;
    run(begin, std::min(size, Rounded(rows - begin)));
  });
}

// One step of the rows from `begin` on, of which there are `count` with those that round up.
class GroupStep {
 public:
  GroupStep(const PackedDecoder& decoder, const DecoderRows& before,
            absl::Span<const DecoderExtension> rows, int64_t begin, int64_t count)
      : decoder_(decoder),
        before_(before),
        rows_(rows.subspan(static_cast<size_t>(begin), static_cast<size_t>(count))),
        begin_(begin),
        count_(count) {}

  void Run(absl::Span<const Source> sources, DecoderRows& after, Matrix attention) const {
    const Buffer first_input = FirstInput();
    for (size_t layer = 0; layer < decoder_.cells.size(); ++layer) {
      RunCell(layer, layer == 0 ? first_input.view() : Mine(after.hidden[layer - 1].view()), after);
    }
    const int64_t hidden = decoder_.cells.back().hidden.rows();
    const int64_t memory = decoder_.readout.rows() - hidden;
    const Buffer attended(count_, memory + hidden);
    const Matrix outputs = Mine(after.hidden.back().view());
    Clear(Rest(attended.view(), size()));
    Copy(outputs, attended.view().Columns(memory, hidden));
    for (int64_t i = 0; i < size(); ++i) {
      const Source& source = sources[static_cast<size_t>(row(i).source)];
      Attend(source, outputs.row(i), attention.row(begin_ + i), attended.view().row(i));
    }
    const Matrix readouts = Mine(after.readout.view());
    Multiply(attended.view(), decoder_.readout, readouts);
    TanhForward(readouts);
  }

 private:
  // Rows that are not there to round up.
  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  const DecoderExtension& row(int64_t i) const { return rows_[static_cast<size_t>(i)]; }
  Matrix Mine(Matrix all) const { return all.Rows(begin_, count_); }

  // The rows of a state that this group's go on from; zero behind the last.
  void Gather(ConstMatrix state, Matrix gathered) const {
    for (int64_t i = 0; i < size(); ++i) Copy(state.Rows(row(i).parent, 1), gathered.Rows(i, 1));
    Clear(Rest(gathered, size()));
  }

  Buffer FirstInput() const {
    const int64_t embedding = decoder_.embedding.columns;
    Buffer input(count_, decoder_.cells[0].input.rows());
    const Matrix tokens = input.view().Columns(0, embedding);
    for (int64_t i = 0; i < size(); ++i) {
      Copy(decoder_.embedding.Rows(row(i).token, 1), tokens.Rows(i, 1));
    }
    Clear(Rest(tokens, size()));
    if (decoder_.input_feeding()) {
      const Matrix readouts = before_.readout.view();
      Gather(readouts, input.view().Columns(embedding, readouts.columns));
    }
    return input;
  }

  void RunCell(size_t layer, ConstMatrix input, DecoderRows& after) const {
    const PackedCell& cell = decoder_.cells[layer];
    const GateLayout& layout = LayoutOf(cell.kind);
    const int64_t hidden = cell.hidden.rows();
    const Buffer gates(count_, layout.width * hidden);
    const Buffer products(count_, cell.hidden.columns());
    const Buffer hidden_before(count_, hidden);
    const Buffer memory_before(layout.memory ? count_ : 0, hidden);
    Gather(before_.hidden[layer].view(), hidden_before.view());
    GateStep step;
    step.gates = gates.view();
    step.recurrent = products.view();
    step.hidden_before = hidden_before.view();
    step.hidden = Mine(after.hidden[layer].view());
    if (layout.memory) {
      Gather(before_.memory[layer].view(), memory_before.view());
      step.memory_before = memory_before.view();
      step.memory = Mine(after.memory[layer].view());
    }
    Multiply(input, cell.input, gates.view().Columns(0, layout.projected * hidden),
             cell.input_bias.data());
    Multiply(hidden_before.view(), cell.hidden, products.view());
    GatesForward(cell.kind, cell.formula, step);
  }

  const PackedDecoder& decoder_;
  const DecoderRows& before_;
  const absl::Span<const DecoderExtension> rows_;
  const int64_t begin_;
  const int64_t count_;
};

}  // namespace

PackedDecoder::PackedDecoder(CellKind kind, const DecoderWeights& weights, Precision precision)
    : embedding(weights.embedding),
      cells(PackCells(kind, weights.cells, precision)),
      readout(PackedMatrix::PackTransposed(weights.readout, precision)) {}

DecoderRows::DecoderRows(const PackedDecoder& decoder, int64_t rows)
    : readout(rows, decoder.readout.columns()) {
  for (const PackedCell& cell : decoder.cells) {
    hidden.emplace_back(rows, cell.hidden.rows());
    memory.emplace_back(LayoutOf(cell.kind).memory ? rows : 0, cell.hidden.rows());
  }
}

DecoderRows StepDecoder(const PackedDecoder& decoder, const DecoderRows& before,
                        absl::Span<const DecoderExtension> rows, absl::Span<const Source> sources,
                        Matrix attention) {
  const auto count = static_cast<int64_t>(rows.size());
  DecoderRows after(decoder, Rounded(count));
  ForEachGroup(count, [&](int64_t begin, int64_t size) {
    GroupStep(decoder, before, rows, begin, size).Run(sources, after, attention);
  });
  return after;
}

Buffer ScoreOutput(const PackedOutput& output, const DecoderRows& state,
                   absl::Span<float> normalizers) {
  const auto count = static_cast<int64_t>(normalizers.size());
  Buffer scores(Rounded(count), output.weight.columns());
  ForEachGroup(count, [&](int64_t begin, int64_t size) {
    const Matrix mine = scores.view().Rows(begin, size);
    Multiply(state.readout.view().Rows(begin, size), output.weight, mine, output.bias);
    LogSumExp(First(mine, std::min(size, count - begin)), normalizers.data() + begin);
  });
  return scores;
}

}  // namespace seq2seq
