#include "seq2seq/ops/transformer_ops.h"

#include <utility>

#include "seq2seq/kernels/dropout.h"
#include "seq2seq/kernels/multi_head_attention.h"
#include "seq2seq/kernels/normalization.h"
#include "seq2seq/kernels/parallel.h"
#include "seq2seq/kernels/ssru.h"
#include "seq2seq/ops/autograd_support.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kGrain = 16;  // Fewest rows that are worth another thread.

Phase BackwardPhase(AutogradContext* context) {
  return static_cast<Phase>(context->saved_data["phase"].toInt());
}

void SavePhase(AutogradContext* context, const PassPhases& phases) {
  context->saved_data["phase"] = static_cast<int64_t>(phases.backward);
}

struct LayerNormFunction : torch::autograd::Function<LayerNormFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& rows,
                               const torch::Tensor& gain, const torch::Tensor& bias,
                               const PassPhases& phases) {
    const PhaseTimer timer(phases.forward);
    const torch::Tensor output = EmptyLike(rows);
    const Matrix from = View(rows);
    const Matrix to = View(output);
    ParallelRanges(to.rows, kGrain, [&](int64_t begin, int64_t end) {
      LayerNorm(from.Rows(begin, end - begin), {Values(gain), Values(bias)},
                to.Rows(begin, end - begin));
    });
    context->save_for_backward({rows, gain});
    SavePhase(context, phases);
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const PhaseTimer timer(BackwardPhase(context));
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor output_gradient = outputs[0].contiguous();
    const torch::Tensor rows = EmptyLike(saved[0]);
    const torch::Tensor gain = EmptyLike(saved[1]);
    const torch::Tensor bias = EmptyLike(saved[1]);
    LayerNormBackward(View(saved[0]), Values(saved[1]), View(output_gradient),
                      {View(rows), Values(gain), Values(bias)});
    return {rows, gain, bias, torch::Tensor()};
  }
};

struct AttentionCall {
  std::shared_ptr<const SequenceRows> query_rows;
  std::shared_ptr<const SequenceRows> key_rows;
  MultiHeadOptions options;
  PassPhases phases;
};

// Inputs: queries, keys and values in one tensor, or queries, and keys and values.
struct AttentionFunction : torch::autograd::Function<AttentionFunction> {
  static torch::Tensor forward(AutogradContext* context, const AttentionCall& call,
                               at::TensorList inputs) {
    const PhaseTimer timer(call.phases.forward);
    const auto [queries, keys, values] = Split(inputs);
    const torch::Tensor output = EmptyFloats({inputs[0].size(0), queries.columns});
    const torch::Tensor log_sums = EmptyFloats({inputs[0].size(0), call.options.heads});
    MultiHeadAttention(*call.query_rows, *call.key_rows, {queries, keys, values}, call.options,
                       View(output), View(log_sums));
    variable_list saved(inputs.begin(), inputs.end());
    saved.push_back(log_sums);
    context->save_for_backward(saved);
    SaveValue(context, call);
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const auto& call = SavedBy<AttentionCall>(context);
    const PhaseTimer timer(call.phases.backward);
    variable_list inputs = context->get_saved_variables();
    const torch::Tensor log_sums = std::move(inputs.back());
    inputs.pop_back();
    const variable_list gradients = EmptyLike(absl::MakeConstSpan(inputs));
    const auto [queries, keys, values] = Split(inputs);
    const torch::Tensor output_gradient = outputs[0].contiguous();
    MultiHeadAttentionBackward(*call.query_rows, *call.key_rows, {queries, keys, values},
                               call.options, View(log_sums), View(output_gradient),
                               Split(gradients));
    variable_list result = {torch::Tensor()};
    result.insert(result.end(), gradients.begin(), gradients.end());
    return result;
  }

  static MultiHeadGradient Split(at::TensorList tensors) {
    const Matrix queries = View(tensors[0]);
    if (tensors.size() == 1) {
      const int64_t size = queries.columns / 3;
      return {queries.Columns(0, size), queries.Columns(size, size),
              queries.Columns(2 * size, size)};
    }
    const Matrix memory = View(tensors[1]);
    const int64_t size = queries.columns;
    return {queries, memory.Columns(0, size), memory.Columns(size, size)};
  }
};

MultiHeadOptions OptionsOf(const FusedHeads& heads, int64_t size) {
  TORCH_CHECK(heads.heads > 0 && size % heads.heads == 0, heads.heads, " heads of size ", size);
  return {.heads = heads.heads,
          .causal = heads.causal,
          .dropout = heads.dropout,
          .seed = heads.dropout > 0 ? DrawSeed() : 0};
}

struct ActivationFunction : torch::autograd::Function<ActivationFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& rows,
                               ActivationKind kind, const PassPhases& phases) {
    const PhaseTimer timer(phases.forward);
    const torch::Tensor output = EmptyLike(rows);
    Activate(kind, View(rows), View(output));
    context->save_for_backward({rows});
    context->saved_data["kind"] = static_cast<int64_t>(kind);
    SavePhase(context, phases);
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const PhaseTimer timer(BackwardPhase(context));
    const torch::Tensor rows = context->get_saved_variables()[0];
    const torch::Tensor output_gradient = outputs[0].contiguous();
    const torch::Tensor gradient = EmptyLike(rows);
    ActivateBackward(static_cast<ActivationKind>(context->saved_data["kind"].toInt()), View(rows),
                     View(output_gradient), View(gradient));
    return {gradient, torch::Tensor(), torch::Tensor()};
  }
};

struct GatedFunction : torch::autograd::Function<GatedFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& gate_and_value,
                               ActivationKind kind, const PassPhases& phases) {
    const PhaseTimer timer(phases.forward);
    const int64_t size = gate_and_value.size(1) / 2;
    const torch::Tensor output = EmptyFloats({gate_and_value.size(0), size});
    const Matrix both = View(gate_and_value);
    ActivateGated(kind, both.Columns(0, size), both.Columns(size, size), View(output));
    context->save_for_backward({gate_and_value});
    context->saved_data["kind"] = static_cast<int64_t>(kind);
    SavePhase(context, phases);
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const PhaseTimer timer(BackwardPhase(context));
    const torch::Tensor gate_and_value = context->get_saved_variables()[0];
    const torch::Tensor output_gradient = outputs[0].contiguous();
    const torch::Tensor gradient = EmptyLike(gate_and_value);
    const int64_t size = output_gradient.size(1);
    const Matrix both = View(gate_and_value);
    const Matrix of_both = View(gradient);
    ActivateGatedBackward(static_cast<ActivationKind>(context->saved_data["kind"].toInt()),
                          both.Columns(0, size), both.Columns(size, size), View(output_gradient),
                          of_both.Columns(0, size), of_both.Columns(size, size));
    return {gradient, torch::Tensor(), torch::Tensor()};
  }
};

struct DropoutAddFunction : torch::autograd::Function<DropoutAddFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& residual,
                               const torch::Tensor& rows, double rate, const PassPhases& phases) {
    const PhaseTimer timer(phases.forward);
    const uint64_t seed = rate > 0 ? DrawSeed() : 0;
    const torch::Tensor sum = EmptyLike(rows);
    const Matrix before = View(residual);
    const Matrix from = View(rows);
    const Matrix to = View(sum);
    ParallelRanges(to.rows, kGrain, [&](int64_t begin, int64_t end) {
      const int64_t count = end - begin;
      DropoutAdd(before.Rows(begin, count), from.Rows(begin, count), rate, seed, begin,
                 to.Rows(begin, count));
    });
    context->saved_data["rate"] = rate;
    context->saved_data["seed"] = static_cast<int64_t>(seed);
    SavePhase(context, phases);
    return sum;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const PhaseTimer timer(BackwardPhase(context));
    const double rate = context->saved_data["rate"].toDouble();
    const auto seed = static_cast<uint64_t>(context->saved_data["seed"].toInt());
    const torch::Tensor gradient = outputs[0].contiguous();
    torch::Tensor dropped = gradient;
    if (rate > 0) {
      dropped = EmptyLike(gradient);
      const Matrix from = View(gradient);
      const Matrix to = View(dropped);
      ParallelRanges(to.rows, kGrain, [&](int64_t begin, int64_t end) {
        Dropout(from.Rows(begin, end - begin), rate, seed, begin, to.Rows(begin, end - begin));
      });
    }
    return {gradient, dropped, torch::Tensor(), torch::Tensor()};
  }
};

struct SsruFunction : torch::autograd::Function<SsruFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& product,
                               const std::shared_ptr<const SequenceRows>& rows,
                               const PassPhases& phases) {
    const PhaseTimer timer(phases.forward);
    const int64_t size = product.size(1) / 2;
    const torch::Tensor cell_state = EmptyFloats({product.size(0), size});
    const torch::Tensor hidden = EmptyLike(cell_state);
    SsruForward(*rows, InputOf(product), View(cell_state), View(hidden));
    context->save_for_backward({product, cell_state});
    SaveValue(context, rows);
    SavePhase(context, phases);
    return hidden;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const PhaseTimer timer(BackwardPhase(context));
    const auto& rows = *SavedBy<std::shared_ptr<const SequenceRows>>(context);
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor hidden_gradient = outputs[0].contiguous();
    const torch::Tensor gradient = EmptyLike(saved[0]);
    const int64_t size = hidden_gradient.size(1);
    SsruBackward(rows, InputOf(saved[0]), View(saved[1]), View(hidden_gradient),
                 View(gradient).Columns(0, size), View(gradient).Columns(size, size));
    return {gradient, torch::Tensor(), torch::Tensor()};
  }

  static SsruInput InputOf(const torch::Tensor& product) {
    const Matrix both = View(product);
    const int64_t size = both.columns / 2;
    return {both.Columns(0, size), both.Columns(size, size)};
  }
};

struct RotaryCall {
  int64_t columns;
  std::shared_ptr<const RotaryTable> table;
  std::shared_ptr<const SequenceRows> rows;
  PassPhases phases;
};

struct RotaryFunction : torch::autograd::Function<RotaryFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& projected,
                               const RotaryCall& call) {
    const PhaseTimer timer(call.phases.forward);
    SaveValue(context, call);
    return Rotated(call, projected, /*inverse=*/false);
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const auto& call = SavedBy<RotaryCall>(context);
    const PhaseTimer timer(call.phases.backward);
    return {Rotated(call, outputs[0].contiguous(), /*inverse=*/true), torch::Tensor()};
  }

  static torch::Tensor Rotated(const RotaryCall& call, const torch::Tensor& projected,
                               bool inverse) {
    const torch::Tensor output = EmptyLike(projected);
    const Matrix from = View(projected);
    const Matrix to = View(output);
    Rotate(*call.table, *call.rows, inverse, from.Columns(0, call.columns),
           to.Columns(0, call.columns));
    const int64_t others = to.columns - call.columns;
    ParallelRanges(to.rows, kGrain, [&](int64_t begin, int64_t end) {
      Copy(from.Columns(call.columns, others).Rows(begin, end - begin),
           to.Columns(call.columns, others).Rows(begin, end - begin));
    });
    return output;
  }
};

}  // namespace

torch::Tensor FusedLayerNorm(const torch::Tensor& rows, const torch::Tensor& gain,
                             const torch::Tensor& bias, const PassPhases& phases) {
  return LayerNormFunction::apply(rows.contiguous(), gain, bias, phases);
}

torch::Tensor FusedSelfAttention(const torch::Tensor& projected,
                                 std::shared_ptr<const SequenceRows> rows, const FusedHeads& heads,
                                 const PassPhases& phases) {
  const variable_list inputs = {projected.contiguous()};
  return AttentionFunction::apply(
      AttentionCall{rows, rows, OptionsOf(heads, projected.size(1) / 3), phases},
      at::TensorList(inputs));
}

torch::Tensor FusedCrossAttention(const torch::Tensor& queries, const torch::Tensor& memory,
                                  std::shared_ptr<const SequenceRows> rows,
                                  std::shared_ptr<const SequenceRows> memory_rows,
                                  const FusedHeads& heads, const PassPhases& phases) {
  TORCH_CHECK(!heads.causal && rows->batch() == memory_rows->batch(),
              "cross-attention is not causal, and of the same sentences");
  const variable_list inputs = {queries.contiguous(), memory.contiguous()};
  return AttentionFunction::apply(AttentionCall{std::move(rows), std::move(memory_rows),
                                                OptionsOf(heads, queries.size(1)), phases},
                                  at::TensorList(inputs));
}

torch::Tensor FusedActivation(const torch::Tensor& rows, ActivationKind kind,
                              const PassPhases& phases) {
  return ActivationFunction::apply(rows.contiguous(), kind, phases);
}

torch::Tensor FusedGated(const torch::Tensor& gate_and_value, ActivationKind kind,
                         const PassPhases& phases) {
  return GatedFunction::apply(gate_and_value.contiguous(), kind, phases);
}

torch::Tensor FusedDropoutAdd(const torch::Tensor& residual, const torch::Tensor& rows, double rate,
                              const PassPhases& phases) {
  return DropoutAddFunction::apply(residual.contiguous(), rows.contiguous(), rate, phases);
}

torch::Tensor FusedSsru(const torch::Tensor& product, std::shared_ptr<const SequenceRows> rows,
                        const PassPhases& phases) {
  return SsruFunction::apply(product.contiguous(), rows, phases);
}

std::shared_ptr<const RotaryTable> MakeRotaryTable(int64_t head_size, int64_t positions,
                                                   double base) {
  return std::make_shared<const RotaryTable>(head_size, positions, base);
}

torch::Tensor FusedRotary(const torch::Tensor& projected, int64_t columns,
                          std::shared_ptr<const RotaryTable> table,
                          std::shared_ptr<const SequenceRows> rows, const PassPhases& phases) {
  TORCH_CHECK(columns % table->head_size() == 0, columns, " columns of heads of size ",
              table->head_size());
  for (int64_t i = 0; i < rows->batch(); ++i) {
    TORCH_CHECK(rows->length(i) <= table->positions(), "a sentence of ", rows->length(i),
                " tokens, and angles of ", table->positions(), " positions");
  }
  return RotaryFunction::apply(projected.contiguous(),
                               RotaryCall{columns, std::move(table), std::move(rows), phases});
}

}  // namespace seq2seq
