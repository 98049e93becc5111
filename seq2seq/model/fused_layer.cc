#include "seq2seq/model/fused_layer.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "seq2seq/base/profile.h"
#include "seq2seq/kernels/dropout.h"
#include "seq2seq/kernels/parallel.h"
#include "seq2seq/kernels/recurrent.h"
#include "seq2seq/model/compute.h"
#include "seq2seq/model/fused.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// What the formula of the cell does not read is absent.
struct GatesFunction : torch::autograd::Function<GatesFunction> {
  using Optional = c10::optional<torch::Tensor>;

  static variable_list forward(AutogradContext* context, CellKind kind,
                               const torch::Tensor& projected,
                               const torch::Tensor& recurrent_product,
                               const torch::Tensor& hidden_state, const Optional& memory_state,
                               const Optional& hidden_bias, const Optional& peepholes) {
    const torch::Tensor recurrent = recurrent_product.contiguous();
    const torch::Tensor hidden_before = hidden_state.contiguous();
    const torch::Tensor memory_before = memory_state ? memory_state->contiguous() : torch::Tensor();
    const torch::Tensor bias = hidden_bias.value_or(torch::Tensor());
    const torch::Tensor peephole = peepholes.value_or(torch::Tensor());
    const GateLayout& layout = LayoutOf(kind);
    const int64_t size = hidden_before.size(1);
    const torch::Tensor gates = torch::empty({recurrent.size(0), layout.width * size});
    gates.narrow(1, 0, layout.projected * size).copy_(projected);
    const torch::Tensor hidden = torch::empty_like(hidden_before);
    const torch::Tensor memory =
        memory_before.defined() ? torch::empty_like(memory_before) : torch::Tensor();
    GatesForward(kind, Weights(kind, bias, peephole),
                 {View(gates), View(recurrent), View(hidden_before), View(memory_before),
                  View(hidden), View(memory)});
    context->save_for_backward(
        {gates, hidden_before, memory_before, hidden, memory, bias, peephole});
    context->saved_data["kind"] = static_cast<int64_t>(kind);
    if (!memory.defined()) return {hidden};
    return {hidden, memory};
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const auto kind = static_cast<CellKind>(context->saved_data["kind"].toInt());
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor gates = saved[0].clone();
    const torch::Tensor& hidden = saved[3];
    const int64_t size = hidden.size(1);
    const torch::Tensor hidden_gradient = outputs[0].clone(at::MemoryFormat::Contiguous);
    const torch::Tensor memory_gradient = outputs.size() > 1
                                              ? outputs[1].clone(at::MemoryFormat::Contiguous)
                                              : torch::zeros_like(hidden);
    GatesBackward(kind, Weights(kind, saved[5], saved[6]),
                  {View(gates), View(saved[1]), View(saved[2]), View(hidden), View(saved[4]),
                   View(hidden_gradient), View(memory_gradient)});
    const GateLayout& layout = LayoutOf(kind);
    const torch::Tensor projected = gates.narrow(1, 0, layout.projected * size);
    std::vector<torch::Tensor> parts;
    for (const GateLayout::Recurrent& part : layout.recurrent) {
      parts.push_back(gates.narrow(1, part.gates * size, part.count * size));
    }
    torch::Tensor bias;
    if (kind == CellKind::kGru) {
      bias = torch::zeros_like(saved[5]);
      bias.narrow(0, 2 * size, size).copy_(parts.back().sum(0));
    }
    torch::Tensor peephole;
    if (kind == CellKind::kPeephole) {
      peephole = torch::zeros_like(saved[6]);
      PeepholeGradient(View(gates), View(saved[2]), View(saved[4]), Values(peephole));
    }
    return {torch::Tensor(),
            projected,
            torch::cat(parts, 1),
            hidden_gradient,
            HasMemory(kind) ? memory_gradient : torch::Tensor(),
            bias,
            peephole};
  }

  static GateWeights Weights(CellKind kind, const torch::Tensor& bias,
                             const torch::Tensor& peephole) {
    return {.peephole = Values(peephole),
            .hidden_bias = kind == CellKind::kGru ? Values(bias) + bias.numel() / 3 * 2 : nullptr};
  }
};

struct LayerTape {
  CellKind kind;
  Precision precision;
  std::shared_ptr<const Steps> steps;
  std::vector<RecurrentTape> directions;
};

// Inputs: the rows, then the parameters of each direction.
struct LayerFunction : torch::autograd::Function<LayerFunction> {
  static torch::Tensor forward(AutogradContext* context, CellKind kind,
                               const std::shared_ptr<const Steps>& steps, at::TensorList inputs) {
    const PhaseTimer timer(Phase::kEncoderForward);
    const std::vector<CellWeights> weights =
        AllWeights(kind, absl::MakeSpan(inputs.data() + 1, inputs.size() - 1));
    const auto directions = static_cast<int64_t>(weights.size());
    const torch::Tensor output =
        EmptyFloats({steps->rows(), directions * weights[0].hidden.columns});
    const Precision precision = CurrentCompute().precision;
    LayerTape tape = {
        kind, precision, steps,
        RecurrentForward(kind, precision, *steps, View(inputs[0]), weights, View(output))};
    variable_list saved(inputs.begin(), inputs.end());
    saved.push_back(output);
    context->save_for_backward(saved);
    Keep(context, std::move(tape));
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const PhaseTimer timer(Phase::kEncoderBackward);
    auto& tape = KeptBy<LayerTape>(context);
    TORCH_CHECK(!tape.directions.empty(), "a fused layer goes back once");
    const variable_list saved = context->get_saved_variables();
    const auto parameters = absl::MakeSpan(saved).subspan(1, saved.size() - 2);
    const std::vector<torch::Tensor> gradients = EmptyLike(parameters);
    const torch::Tensor input_gradient =
        context->needs_input_grad(2) ? EmptyLike(saved[0]) : torch::Tensor();
    RecurrentBackward(tape.kind, tape.precision, *tape.steps, View(saved[0]),
                      AllWeights(tape.kind, parameters), View(saved.back()),
                      View(outputs[0].contiguous()), tape.directions, View(input_gradient),
                      AllGradients(tape.kind, gradients));
    tape.directions.clear();
    variable_list result = {torch::Tensor(), torch::Tensor(), input_gradient};
    result.insert(result.end(), gradients.begin(), gradients.end());
    return result;
  }
};

struct LinearFunction : torch::autograd::Function<LinearFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& input,
                               const torch::Tensor& weight) {
    const PhaseTimer timer(Phase::kDecoderForward);
    const Precision precision = CurrentCompute().precision;
    std::vector<int64_t> sizes = input.sizes().vec();
    sizes.back() = weight.size(0);
    const torch::Tensor output = EmptyFloats(sizes);
    Multiply(View(input), PackedMatrix::PackTransposed(View(weight), precision), View(output));
    context->save_for_backward({input, weight});
    context->saved_data["precision"] = static_cast<int64_t>(precision);
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const PhaseTimer timer(Phase::kDecoderBackward);
    const auto precision = static_cast<Precision>(context->saved_data["precision"].toInt());
    const variable_list saved = context->get_saved_variables();
    const variable_list gradients = EmptyLike(absl::MakeConstSpan(saved));
    const torch::Tensor contiguous = outputs[0].contiguous();
    const Operand output(View(contiguous), precision);
    Multiply(output, PackedMatrix::Pack(View(saved[1]), precision), View(gradients[0]));
    MultiplyTransposed(output, Operand(View(saved[0]), precision), View(gradients[1]));
    return gradients;
  }
};

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
void CopyRows(const Steps& steps, const torch::Tensor& rows, const torch::Tensor& padded,
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

struct PadFunction : torch::autograd::Function<PadFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& rows,
                               const std::shared_ptr<const Steps>& steps, int64_t time) {
    int64_t sequences = 0;
    for (int64_t group = 0; group < steps->groups(); ++group) sequences += steps->size(group);
    const torch::Tensor padded = EmptyFloats({sequences, time, rows.size(1)}).zero_();
    CopyRows(*steps, rows, padded, /*to_padded=*/true);
    Keep(context, steps);
    return padded;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const auto& steps = *KeptBy<std::shared_ptr<const Steps>>(context);
    const torch::Tensor rows = EmptyFloats({steps.rows(), outputs[0].size(2)}).zero_();
    CopyRows(steps, rows, outputs[0].contiguous(), /*to_padded=*/false);
    return {rows, torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

std::vector<int64_t> OrderTokens(const torch::Tensor& tokens, const Steps& steps) {
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

CellState FusedGates(const CellImpl& cell, const torch::Tensor& projected,
                     const torch::Tensor& recurrent, const CellState& state) {
  const auto optional = [](bool present, const torch::Tensor& tensor) {
    return present ? GatesFunction::Optional(tensor) : c10::nullopt;
  };
  const variable_list outputs =
      GatesFunction::apply(cell.kind(), projected, recurrent, state.hidden,
                           optional(HasMemory(cell.kind()), state.memory),
                           optional(cell.kind() == CellKind::kGru, cell.bias_hh()),
                           optional(cell.kind() == CellKind::kPeephole, cell.peephole()));
  return {outputs[0], outputs.size() > 1 ? outputs[1] : torch::Tensor()};
}

std::shared_ptr<const Steps> MakeSteps(const torch::Tensor& lengths, int64_t side_by_side) {
  const torch::Tensor contiguous = lengths.contiguous();
  return std::make_shared<const Steps>(
      absl::MakeConstSpan(contiguous.data_ptr<int64_t>(), static_cast<size_t>(contiguous.numel())),
      GroupsFor(contiguous.numel(), side_by_side));
}

torch::Tensor FusedLayer(absl::Span<const Cell> directions, const torch::Tensor& input,
                         std::shared_ptr<const Steps> steps) {
  variable_list inputs = {input};
  for (const Cell& cell : directions) {
    const variable_list tensors = TensorsOf(*cell);
    inputs.insert(inputs.end(), tensors.begin(), tensors.end());
  }
  return LayerFunction::apply(directions[0]->kind(), steps, at::TensorList(inputs));
}

torch::Tensor FusedEmbedding(const torch::Tensor& weight, const torch::Tensor& tokens,
                             std::shared_ptr<const Steps> steps, double rate) {
  return FusedDropout(EmbeddingFunction::apply(weight, OrderTokens(tokens, *steps)), rate);
}

torch::Tensor FusedLinear(const torch::Tensor& input, const torch::Tensor& weight) {
  return LinearFunction::apply(input.contiguous(), weight);
}

torch::Tensor FusedDropout(const torch::Tensor& rows, double rate) {
  return rate == 0 ? rows : DropoutFunction::apply(rows, rate);
}

torch::Tensor PadRows(const torch::Tensor& rows, std::shared_ptr<const Steps> steps, int64_t time) {
  return PadFunction::apply(rows, steps, time);
}

}  // namespace seq2seq
