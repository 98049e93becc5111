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
                               const std::vector<int64_t>& ids) {
    const PhaseTimer timer(Phase::kEmbedding);
    const torch::Tensor rows = EmptyFloats({static_cast<int64_t>(ids.size()), weight.size(1)});
    const Matrix table = View(weight);
    const Matrix target = View(rows);
    ParallelRanges(target.rows, 64, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        Copy(table.Rows(ids[static_cast<size_t>(row)], 1), target.Rows(row, 1));
      }
    });
    context->saved_data["ids"] = ids;
    context->saved_data["vocab"] = weight.size(0);
    return rows;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const PhaseTimer timer(Phase::kEmbedding);
    return {EmbeddingGradient(context->saved_data["ids"].toIntVector(), outputs[0].contiguous(),
                              context->saved_data["vocab"].toInt()),
            torch::Tensor()};
  }
};

// Copies between rows and padded sequences.
void CopyRows(const PackedSequence& steps, const torch::Tensor& rows, const torch::Tensor& padded,
              bool to_padded) {
  const Matrix source = View(rows);
  const Matrix target = View(padded);
  const int64_t time = padded.size(1);
  steps.ForEachToken([&](int64_t row, int64_t sequence, int64_t step) {
    const Matrix packed = source.Rows(row, 1);
    const Matrix position = target.Rows(sequence * time + step, 1);
    if (to_padded) {
      Copy(packed, position);
    } else {
      Copy(position, packed);
    }
  });
}

torch::Tensor Padded(const PackedSequence& steps, const torch::Tensor& rows, int64_t time) {
  int64_t sequences = 0;
  for (int64_t group = 0; group < steps.groups(); ++group) sequences += steps.size(group);
  const torch::Tensor padded = EmptyFloats({sequences, time, rows.size(1)}).zero_();
  CopyRows(steps, rows, padded, /*to_padded=*/true);
  return padded;
}

torch::Tensor Packed(const PackedSequence& steps, const torch::Tensor& padded) {
  const torch::Tensor rows = EmptyFloats({steps.rows(), padded.size(2)}).zero_();
  CopyRows(steps, rows, padded.contiguous(), /*to_padded=*/false);
  return rows;
}

struct PadFunction : torch::autograd::Function<PadFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& rows,
                               const std::shared_ptr<const PackedSequence>& steps, int64_t time) {
    SaveValue(context, steps);
    return Padded(*steps, rows, time);
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const auto& steps = *SavedBy<std::shared_ptr<const PackedSequence>>(context);
    return {Packed(steps, outputs[0]), torch::Tensor(), torch::Tensor()};
  }
};

struct PackFunction : torch::autograd::Function<PackFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& padded,
                               const std::shared_ptr<const PackedSequence>& steps) {
    SaveValue(context, steps);
    context->saved_data["time"] = padded.size(1);
    return Packed(*steps, padded);
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const auto& steps = *SavedBy<std::shared_ptr<const PackedSequence>>(context);
    return {Padded(steps, outputs[0].contiguous(), context->saved_data["time"].toInt()),
            torch::Tensor()};
  }
};

}  // namespace

std::shared_ptr<const PackedSequence> PackSequence(const torch::Tensor& lengths,
                                                   int64_t side_by_side) {
  const torch::Tensor contiguous = lengths.contiguous();
  return std::make_shared<const PackedSequence>(
      absl::MakeConstSpan(contiguous.data_ptr<int64_t>(), static_cast<size_t>(contiguous.numel())),
      GroupsFor(contiguous.numel(), side_by_side));
}

std::vector<int64_t> OrderTokens(const torch::Tensor& tokens, const PackedSequence& steps) {
  const torch::Tensor contiguous = tokens.contiguous();
  const auto* ids = contiguous.data_ptr<int64_t>();
  const int64_t time = contiguous.size(1);
  std::vector<int64_t> ordered(static_cast<size_t>(steps.rows()), kPadId);
  steps.ForEachToken([&](int64_t row, int64_t sequence, int64_t step) {
    ordered[static_cast<size_t>(row)] = ids[sequence * time + step];
  });
  return ordered;
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
  return FusedDropout(EmbeddingFunction::apply(weight, OrderTokens(tokens, *steps)), rate);
}

torch::Tensor FusedDropout(const torch::Tensor& rows, double rate) {
  return rate == 0 ? rows : DropoutFunction::apply(rows, rate);
}

torch::Tensor PackRows(const torch::Tensor& padded, std::shared_ptr<const PackedSequence> steps) {
  return PackFunction::apply(padded, steps);
}

torch::Tensor PadRows(const torch::Tensor& rows, std::shared_ptr<const PackedSequence> steps,
                      int64_t time) {
  return PadFunction::apply(rows, steps, time);
}

}  // namespace seq2seq
