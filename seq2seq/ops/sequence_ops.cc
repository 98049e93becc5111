#include "seq2seq/ops/sequence_ops.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "seq2seq/base/profile.h"
#include "seq2seq/kernels/dropout.h"
#include "seq2seq/kernels/parallel.h"
#include "seq2seq/ops/autograd_support.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void DropRows(const torch::Tensor& from, double rate, uint64_t seed, const torch::Tensor& to) {
  const Matrix source = View(from);
  const Matrix target = View(to);
  ParallelRanges(target.rows, 16, [&](int64_t begin, int64_t end) {
    Dropout(source.Rows(begin, end - begin), rate, seed, begin, target.Rows(begin, end - begin));
  });
}

struct DropoutFunction : torch::autograd::Function<DropoutFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& rows, double rate) {
    const uint64_t seed = DrawSeed();
    context->saved_data["rate"] = rate;
    context->saved_data["seed"] = static_cast<int64_t>(seed);
    const torch::Tensor dropped = EmptyLike(rows);
    DropRows(rows, rate, seed, dropped);
    return dropped;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const torch::Tensor gradient = outputs[0].contiguous();
    const torch::Tensor dropped = EmptyLike(gradient);
    DropRows(gradient, context->saved_data["rate"].toDouble(),
             static_cast<uint64_t>(context->saved_data["seed"].toInt()), dropped);
    return {dropped, torch::Tensor()};
  }
};

struct EmbeddingFunction : torch::autograd::Function<EmbeddingFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& weight,
                               const std::vector<int64_t>& ids, double scale) {
    const PhaseTimer timer(Phase::kEmbedding);
    const torch::Tensor rows = EmptyFloats({static_cast<int64_t>(ids.size()), weight.size(1)});
    const Matrix table = View(weight);
    const Matrix target = View(rows);
    ParallelRanges(target.rows, 64, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        Copy(table.Rows(ids[static_cast<size_t>(row)], 1), target.Rows(row, 1));
      }
      if (scale != 1) Scale(target.Rows(begin, end - begin), static_cast<float>(scale));
    });
    context->saved_data["ids"] = ids;
    context->saved_data["vocab"] = weight.size(0);
    context->saved_data["scale"] = scale;
    return rows;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const PhaseTimer timer(Phase::kEmbedding);
    const torch::Tensor gradient =
        EmbeddingGradient(context->saved_data["ids"].toIntVector(), outputs[0].contiguous(),
                          context->saved_data["vocab"].toInt());
    const double scale = context->saved_data["scale"].toDouble();
    if (scale != 1) gradient._values().mul_(scale);
    return {gradient, torch::Tensor(), torch::Tensor()};
  }
};

int64_t BatchOf(const PackedSequence& steps) {
  int64_t sequences = 0;
  for (int64_t group = 0; group < steps.groups(); ++group) sequences += steps.size(group);
  return sequences;
}

int64_t BatchOf(const SequenceRows& rows) { return rows.batch(); }

// What follows is for both layouts of rows, PackedSequence and SequenceRows.

// Copies between rows and padded sequences.
template <typename Layout>
void CopyRows(const Layout& layout, const torch::Tensor& rows, const torch::Tensor& padded,
              bool to_padded) {
  const Matrix source = View(rows);
  const Matrix target = View(padded);
  const int64_t time = padded.size(1);
  layout.ForEachToken([&](int64_t row, int64_t sequence, int64_t step) {
    const Matrix packed = source.Rows(row, 1);
    const Matrix position = target.Rows(sequence * time + step, 1);
    if (to_padded) {
      Copy(packed, position);
    } else {
      Copy(position, packed);
    }
  });
}

template <typename Layout>
torch::Tensor Padded(const Layout& layout, const torch::Tensor& rows, int64_t time) {
  const torch::Tensor padded = EmptyFloats({BatchOf(layout), time, rows.size(1)}).zero_();
  CopyRows(layout, rows, padded, /*to_padded=*/true);
  return padded;
}

template <typename Layout>
torch::Tensor Packed(const Layout& layout, const torch::Tensor& padded) {
  const torch::Tensor rows = EmptyFloats({layout.rows(), padded.size(2)}).zero_();
  CopyRows(layout, rows, padded.contiguous(), /*to_padded=*/false);
  return rows;
}

template <typename Layout>
struct PadFunction : torch::autograd::Function<PadFunction<Layout>> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& rows,
                               const std::shared_ptr<const Layout>& layout, int64_t time) {
    SaveValue(context, layout);
    return Padded(*layout, rows, time);
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const auto& layout = *SavedBy<std::shared_ptr<const Layout>>(context);
    return {Packed(layout, outputs[0]), torch::Tensor(), torch::Tensor()};
  }
};

template <typename Layout>
struct PackFunction : torch::autograd::Function<PackFunction<Layout>> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& padded,
                               const std::shared_ptr<const Layout>& layout) {
    SaveValue(context, layout);
    context->saved_data["time"] = padded.size(1);
    return Packed(*layout, padded);
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const auto& layout = *SavedBy<std::shared_ptr<const Layout>>(context);
    return {Padded(layout, outputs[0].contiguous(), context->saved_data["time"].toInt()),
            torch::Tensor()};
  }
};

// The ids of tokens, [batch, time], in the order of rows; padding after the last token.
template <typename Layout>
std::vector<int64_t> Ordered(const torch::Tensor& tokens, const Layout& layout) {
  const torch::Tensor contiguous = tokens.contiguous();
  const auto* ids = contiguous.data_ptr<int64_t>();
  const int64_t time = contiguous.size(1);
  std::vector<int64_t> ordered(static_cast<size_t>(layout.rows()), kPadId);
  layout.ForEachToken([&](int64_t row, int64_t sequence, int64_t step) {
    ordered[static_cast<size_t>(row)] = ids[sequence * time + step];
  });
  return ordered;
}

absl::Span<const int64_t> LengthsOf(const torch::Tensor& contiguous) {
  return absl::MakeConstSpan(contiguous.data_ptr<int64_t>(),
                             static_cast<size_t>(contiguous.numel()));
}

}  // namespace

std::shared_ptr<const PackedSequence> PackSequence(const torch::Tensor& lengths,
                                                   int64_t side_by_side) {
  return std::make_shared<const PackedSequence>(LengthsOf(lengths.contiguous()),
                                                GroupsFor(lengths.numel(), side_by_side));
}

SequenceEnds EndsOf(const PackedSequence& steps, int64_t batch) {
  const SequenceEnds ends = {torch::empty({batch}, torch::kInt64),
                             torch::empty({batch}, torch::kInt64)};
  auto* first = ends.first.data_ptr<int64_t>();
  auto* last = ends.last.data_ptr<int64_t>();
  std::vector<int64_t> latest(static_cast<size_t>(batch), -1);
  steps.ForEachToken([&](int64_t row, int64_t sequence, int64_t step) {
    if (step == 0) first[sequence] = row;
    int64_t& until_now = latest[static_cast<size_t>(sequence)];
    if (step <= until_now) return;
    until_now = step;
    last[sequence] = row;
  });
  return ends;
}

std::shared_ptr<const SequenceRows> MakeSequenceRows(const torch::Tensor& lengths) {
  return std::make_shared<const SequenceRows>(LengthsOf(lengths.contiguous()));
}

std::vector<int64_t> OrderTokens(const torch::Tensor& tokens, const PackedSequence& steps) {
  return Ordered(tokens, steps);
}

torch::Tensor EmbeddingGradient(absl::Span<const int64_t> ids, const torch::Tensor& gradient,
                                int64_t vocab) {
  std::vector<int64_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0);
  const auto id = [&](int64_t row) { return ids[static_cast<size_t>(row)]; };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return id(a) < id(b); });
  order.erase(order.begin(), std::find_if(order.begin(), order.end(),
                                          [&](int64_t row) { return id(row) != kPadId; }));
  std::vector<int64_t> touched;
  for (const int64_t row : order) {
    if (touched.empty() || touched.back() != id(row)) touched.push_back(id(row));
  }
  const auto count = static_cast<int64_t>(touched.size());
  const torch::Tensor sums = torch::zeros({count, gradient.size(1)});
  const Matrix rows = View(gradient);
  int64_t next = -1;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || id(order[i]) != id(order[i - 1])) ++next;
    Add(rows.Rows(order[i], 1), View(sums).Rows(next, 1));
  }
  return torch::sparse_coo_tensor(torch::tensor(touched, torch::kInt64).view({1, count}), sums,
                                  {vocab, gradient.size(1)})
      ._coalesced_(true);
}

torch::Tensor FusedEmbedding(const torch::Tensor& weight, const torch::Tensor& tokens,
                             std::shared_ptr<const PackedSequence> steps, double rate) {
  return FusedDropout(EmbeddingFunction::apply(weight, Ordered(tokens, *steps), 1.0), rate);
}

torch::Tensor FusedEmbedding(const torch::Tensor& weight, const torch::Tensor& tokens,
                             std::shared_ptr<const SequenceRows> rows, double scale, double rate) {
  return FusedDropout(EmbeddingFunction::apply(weight, Ordered(tokens, *rows), scale), rate);
}

torch::Tensor FusedDropout(const torch::Tensor& rows, double rate) {
  return rate == 0 ? rows : DropoutFunction::apply(rows, rate);
}

torch::Tensor PackRows(const torch::Tensor& padded, std::shared_ptr<const PackedSequence> steps) {
  return PackFunction<PackedSequence>::apply(padded, steps);
}

torch::Tensor PackRows(const torch::Tensor& padded, std::shared_ptr<const SequenceRows> rows) {
  return PackFunction<SequenceRows>::apply(padded, rows);
}

torch::Tensor PadRows(const torch::Tensor& rows, std::shared_ptr<const PackedSequence> steps,
                      int64_t time) {
  return PadFunction<PackedSequence>::apply(rows, steps, time);
}

torch::Tensor PadRows(const torch::Tensor& values, std::shared_ptr<const SequenceRows> rows,
                      int64_t time) {
  return PadFunction<SequenceRows>::apply(values, rows, time);
}

}  // namespace seq2seq
