#include "seq2seq/ops/recurrent_ops.h"

#include <utility>

#include "seq2seq/kernels/gates.h"
#include "seq2seq/kernels/recurrent.h"
#include "seq2seq/ops/autograd_support.h"
#include "seq2seq/ops/compute.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Inputs that the formula of the cell does not use are absent.
struct GatesFunction : torch::autograd::Function<GatesFunction> {
  using Optional = c10::optional<torch::Tensor>;

  static variable_list forward(AutogradContext* context, CellKind kind,
                               const torch::Tensor& projected,
                               const torch::Tensor& recurrent_product,
                               const torch::Tensor& hidden_state, const Optional& cell_state_in,
                               const Optional& hidden_bias, const Optional& peepholes) {
    const torch::Tensor recurrent = recurrent_product.contiguous();
    const torch::Tensor hidden_before = hidden_state.contiguous();
    const torch::Tensor cell_state_before =
        cell_state_in ? cell_state_in->contiguous() : torch::Tensor();
    const torch::Tensor bias = hidden_bias.value_or(torch::Tensor());
    const torch::Tensor peephole = peepholes.value_or(torch::Tensor());
    const GateLayout& layout = LayoutOf(kind);
    const int64_t size = hidden_before.size(1);
    const torch::Tensor gates = torch::empty({recurrent.size(0), layout.width * size});
    gates.narrow(1, 0, layout.projected * size).copy_(projected);
    const torch::Tensor hidden = torch::empty_like(hidden_before);
    const torch::Tensor cell_state =
        cell_state_before.defined() ? torch::empty_like(cell_state_before) : torch::Tensor();
    GatesForward(kind, Weights(kind, bias, peephole),
                 {View(gates), View(recurrent), View(hidden_before), View(cell_state_before),
                  View(hidden), View(cell_state)});
    context->save_for_backward(
        {gates, hidden_before, cell_state_before, hidden, cell_state, bias, peephole});
    context->saved_data["kind"] = static_cast<int64_t>(kind);
    if (!cell_state.defined()) return {hidden};
    return {hidden, cell_state};
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const auto kind = static_cast<CellKind>(context->saved_data["kind"].toInt());
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor gates = saved[0].clone();
    const torch::Tensor& hidden = saved[3];
    const int64_t size = hidden.size(1);
    const torch::Tensor hidden_gradient = outputs[0].clone(at::MemoryFormat::Contiguous);
    const torch::Tensor cell_state_gradient = outputs.size() > 1
                                                  ? outputs[1].clone(at::MemoryFormat::Contiguous)
                                                  : torch::zeros_like(hidden);
    GatesBackward(kind, Weights(kind, saved[5], saved[6]),
                  {View(gates), View(saved[1]), View(saved[2]), View(hidden), View(saved[4]),
                   View(hidden_gradient), View(cell_state_gradient)});
    const GateLayout& layout = LayoutOf(kind);
    const torch::Tensor projected = gates.narrow(1, 0, layout.projected * size);
    std::vector<torch::Tensor> parts;
    for (const GateLayout::Recurrent& part : layout.recurrent) {
      parts.push_back(gates.narrow(1, part.gates * size, part.count * size));
    }
    const torch::Tensor recurrent = torch::cat(parts, 1);
    torch::Tensor bias;
    if (layout.formula_biases() > 0) {
      const int64_t begin = layout.summed_biases * size;
      bias = torch::zeros_like(saved[5]);
      bias.slice(0, begin).copy_(recurrent.slice(1, begin).sum(0));
    }
    torch::Tensor peephole;
    if (layout.peepholes > 0) {
      peephole = torch::zeros_like(saved[6]);
      PeepholeGradient(View(gates), View(saved[2]), View(saved[4]), Values(peephole));
    }
    return {torch::Tensor(),
            projected,
            recurrent,
            hidden_gradient,
            HasCellState(kind) ? cell_state_gradient : torch::Tensor(),
            bias,
            peephole};
  }

  static GateWeights Weights(CellKind kind, const torch::Tensor& bias,
                             const torch::Tensor& peephole) {
    const GateLayout& layout = LayoutOf(kind);
    return {.peephole = Values(peephole),
            .hidden_bias = bias.defined() ? Values(bias) + bias.numel() / layout.projected *
                                                               layout.summed_biases
                                          : nullptr};
  }
};

struct LayerCall {
  PassPhases phases;
  CellKind kind;
  Precision precision;
  std::shared_ptr<const PackedSequence> steps;
  std::vector<RecurrentCache> directions;
};

// Inputs: the rows, then the parameters of each direction.
struct LayerFunction : torch::autograd::Function<LayerFunction> {
  static variable_list forward(AutogradContext* context, CellKind kind,
                               const std::shared_ptr<const PackedSequence>& steps,
                               const PassPhases& phases, bool with_cell_states,
                               at::TensorList inputs) {
    const PhaseTimer timer(phases.forward);
    const std::vector<CellWeights> weights =
        AllWeights(kind, absl::MakeSpan(inputs.data() + 1, inputs.size() - 1));
    const auto directions = static_cast<int64_t>(weights.size());
    const torch::Tensor output =
        EmptyFloats({steps->rows(), directions * weights[0].hidden.columns});
    const Precision precision = CurrentCompute().precision;
    LayerCall call = {phases, kind, precision, steps,
                      RecurrentForward(*steps, View(inputs[0]), PackCells(kind, weights, precision),
                                       View(output))};
    variable_list saved(inputs.begin(), inputs.end());
    saved.push_back(output);
    context->save_for_backward(saved);
    variable_list states = {output};
    if (with_cell_states) {
      states.push_back(EmptyLike(output));
      const Matrix cell_states = View(states.back());
      for (size_t d = 0; d < weights.size(); ++d) {
        const Matrix of_direction = call.directions[d].cell_state.view();
        const int64_t hidden = of_direction.columns;
        Copy(of_direction, cell_states.Columns(static_cast<int64_t>(d) * hidden, hidden));
      }
      Clear(steps->Tail(cell_states));
    }
    SaveValue(context, std::move(call));
    return states;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    auto& call = SavedBy<LayerCall>(context);
    const PhaseTimer timer(call.phases.backward);
    TORCH_CHECK(!call.directions.empty(), "backward through a fused layer is possible only once");
    const variable_list saved = context->get_saved_variables();
    const auto parameters = absl::MakeSpan(saved).subspan(1, saved.size() - 2);
    const std::vector<torch::Tensor> gradients = EmptyLike(parameters);
    // needs_input_grad counts tensor arguments alone.
    const torch::Tensor input_gradient =
        context->needs_input_grad(0) ? EmptyLike(saved[0]) : torch::Tensor();
    const torch::Tensor of_cell_states =
        outputs.size() > 1 && outputs[1].defined() ? outputs[1].contiguous() : torch::Tensor();
    RecurrentBackward(call.kind, call.precision, *call.steps, View(saved[0]),
                      AllWeights(call.kind, parameters), View(saved.back()),
                      {View(outputs[0].contiguous()), View(of_cell_states)}, call.directions,
                      View(input_gradient), AllGradients(call.kind, gradients));
    call.directions.clear();
    variable_list result = {torch::Tensor(), torch::Tensor(), torch::Tensor(), torch::Tensor(),
                            input_gradient};
    result.insert(result.end(), gradients.begin(), gradients.end());
    return result;
  }
};

struct LinearFunction : torch::autograd::Function<LinearFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& input,
                               const torch::Tensor& weight,
                               const c10::optional<torch::Tensor>& bias, const PassPhases& phases) {
    const PhaseTimer timer(phases.forward);
    const Precision precision = CurrentCompute().precision;
    std::vector<int64_t> sizes = input.sizes().vec();
    sizes.back() = weight.size(0);
    const torch::Tensor output = EmptyFloats(sizes);
    Multiply(View(input), PackedMatrix::PackTransposed(View(weight), precision), View(output),
             bias ? Values(*bias) : nullptr);
    context->save_for_backward({input, weight});
    context->saved_data["bias"] = bias.has_value();
    context->saved_data["precision"] = static_cast<int64_t>(precision);
    context->saved_data["phase"] = static_cast<int64_t>(phases.backward);
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const PhaseTimer timer(static_cast<Phase>(context->saved_data["phase"].toInt()));
    const auto precision = static_cast<Precision>(context->saved_data["precision"].toInt());
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor contiguous = outputs[0].contiguous();
    const Operand output(View(contiguous), precision);
    variable_list gradients(4);
    if (context->needs_input_grad(0)) {
      gradients[0] = EmptyLike(saved[0]);
      Multiply(output, PackedMatrix::Pack(View(saved[1]), precision), View(gradients[0]));
    }
    if (context->needs_input_grad(1)) {
      gradients[1] = EmptyLike(saved[1]);
      MultiplyTransposed(output, Operand(View(saved[0]), precision), View(gradients[1]));
    }
    if (context->saved_data["bias"].toBool()) {
      gradients[2] = EmptyFloats({saved[1].size(0)});
      SumRows(View(contiguous), Values(gradients[2]));
    }
    return gradients;
  }
};

}  // namespace

CellState FusedGates(const CellParameters& cell, const torch::Tensor& projected,
                     const torch::Tensor& recurrent, const CellState& state) {
  const auto optional = [](bool present, const torch::Tensor& tensor) {
    return present ? GatesFunction::Optional(tensor) : c10::nullopt;
  };
  const GateLayout& layout = LayoutOf(cell.kind);
  const variable_list outputs =
      GatesFunction::apply(cell.kind, projected, recurrent, state.hidden,
                           optional(HasCellState(cell.kind), state.cell_state),
                           optional(layout.formula_biases() > 0, cell.bias_hh),
                           optional(layout.peepholes > 0, cell.peephole));
  return {outputs[0], outputs.size() > 1 ? outputs[1] : torch::Tensor()};
}

CellState FusedLayer(absl::Span<const CellParameters> directions, const torch::Tensor& input,
                     std::shared_ptr<const PackedSequence> steps, const PassPhases& phases,
                     bool with_cell_states) {
  variable_list inputs = {input};
  for (const CellParameters& cell : directions) AppendTensors(cell, inputs);
  const CellKind kind = directions[0].kind;
  const bool both = with_cell_states && HasCellState(kind);
  const variable_list states =
      LayerFunction::apply(kind, steps, phases, both, at::TensorList(inputs));
  return {states[0], both ? states[1] : torch::Tensor()};
}

torch::Tensor FusedLinear(const torch::Tensor& input, const torch::Tensor& weight,
                          const PassPhases& phases, const torch::Tensor& bias) {
  return LinearFunction::apply(input.contiguous(), weight,
                               bias.defined() ? c10::optional<torch::Tensor>(bias) : c10::nullopt,
                               phases);
}

}  // namespace seq2seq
