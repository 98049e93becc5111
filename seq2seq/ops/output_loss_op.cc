#include "seq2seq/ops/output_loss_op.h"

#include <vector>

#include "seq2seq/base/profile.h"
#include "seq2seq/kernels/cross_entropy.h"
#include "seq2seq/kernels/dropout.h"
#include "seq2seq/ops/autograd_support.h"
#include "seq2seq/ops/compute.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The rows at `positions` of the flattened `values`, [batch, target, size], after dropout.
torch::Tensor RowsAt(const std::vector<int64_t>& positions, const torch::Tensor& values,
                     double dropout, uint64_t seed) {
  const torch::Tensor rows = EmptyFloats({static_cast<int64_t>(positions.size()), values.size(2)});
  const Matrix from = View(values);
  const Matrix to = View(rows);
  for (int64_t row = 0; row < to.rows; ++row) {
    Dropout(from.Rows(positions[static_cast<size_t>(row)], 1), dropout, seed, row, to.Rows(row, 1));
  }
  return rows;
}

struct CrossEntropyFunction : torch::autograd::Function<CrossEntropyFunction> {
  // `log_copied` is empty for nothing.
  static variable_list forward(AutogradContext* context, const torch::Tensor& attentional_states,
                               const torch::Tensor& truth, const torch::Tensor& weight,
                               const torch::Tensor& bias, const torch::Tensor& log_copied,
                               double smoothing, double scale, double dropout,
                               const Distillation& distillation,
                               const std::vector<float>& target_weights, bool with_gradient) {
    const PhaseTimer timer(Phase::kLoss);
    std::vector<int64_t> positions;  // Positions of tokens in the flattened tensors.
    std::vector<int64_t> ids;
    std::vector<float> row_weights, copied;
    const auto* id = truth.data_ptr<int64_t>();
    for (int64_t i = 0; i < truth.numel(); ++i) {
      if (id[i] == kPadId) continue;
      positions.push_back(i);
      ids.push_back(id[i]);
      if (!target_weights.empty())
        row_weights.push_back(target_weights[static_cast<size_t>(i / truth.size(1))]);
      if (log_copied.numel() > 0) copied.push_back(Values(log_copied)[i]);
    }
    const uint64_t seed = dropout > 0 ? DrawSeed() : 0;
    const torch::Tensor rows = RowsAt(positions, attentional_states, dropout, seed);
    const Matrix to = View(rows);
    variable_list teacher_rows;
    std::vector<SoftTargets::Teacher> teachers;
    for (const Distillation::Teacher& teacher : distillation.teachers) {
      teacher_rows.push_back(RowsAt(positions, teacher.outputs.contiguous(), 0, 0));
      teachers.push_back({{View(teacher.weight), Values(teacher.bias)}, View(teacher_rows.back())});
    }

    variable_list gradients;
    OutputGradients views;
    std::vector<float> copied_gradient(copied.size());
    views.log_copied = copied_gradient.data();
    if (with_gradient) {
      gradients = {EmptyLike(attentional_states).zero_(), EmptyLike(weight), EmptyLike(bias),
                   EmptyLike(log_copied).zero_()};
      views.weight = View(gradients[1]);
      views.bias = Values(gradients[2]);
    }
    const torch::Tensor rows_gradient = with_gradient ? EmptyLike(rows) : torch::Tensor();
    views.input = View(rows_gradient);
    const CrossEntropySums sums = OutputCrossEntropy(
        {View(weight), Values(bias)}, to, ids, smoothing, scale, CurrentCompute().precision,
        with_gradient ? &views : nullptr, {teachers, distillation.weight, distillation.temperature},
        row_weights, copied);
    if (with_gradient) {
      const Matrix padded = View(gradients[0]);
      for (int64_t row = 0; row < to.rows; ++row) {
        Dropout(views.input.Rows(row, 1), dropout, seed, row,
                padded.Rows(positions[static_cast<size_t>(row)], 1));
      }
      for (size_t row = 0; row < copied.size(); ++row)
        Values(gradients[3])[positions[row]] = copied_gradient[row];
      SaveValue(context, std::move(gradients));
    }
    const torch::Tensor nll = torch::tensor(sums.nll, torch::kFloat64);
    const torch::Tensor correct = torch::tensor(sums.correct, torch::kInt64);
    context->mark_non_differentiable({nll, correct});
    return {torch::tensor(scale * sums.objective, torch::kFloat64), nll, correct};
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    variable_list gradients = std::move(SavedBy<variable_list>(context));
    TORCH_CHECK(gradients.size() == 4, "backward through a fused loss is possible only once");
    const auto scale = outputs[0].item<double>();
    if (scale != 1) {
      for (torch::Tensor& gradient : gradients) gradient.mul_(scale);
    }
    return {gradients[0],    torch::Tensor(), gradients[1],    gradients[2],
            gradients[3],    torch::Tensor(), torch::Tensor(), torch::Tensor(),
            torch::Tensor(), torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

Loss FusedCrossEntropy(const torch::Tensor& attentional_states, const torch::Tensor& truth,
                       const torch::Tensor& weight, const torch::Tensor& bias, double smoothing,
                       double scale, double dropout, const Distillation& distillation,
                       const torch::Tensor& target_weights, const torch::Tensor& log_copied) {
  // An autograd function takes no undefined tensors.
  const torch::Tensor copied = log_copied.defined() ? log_copied.contiguous() : EmptyFloats({0});
  const bool with_gradient = torch::GradMode::is_enabled() &&
                             (attentional_states.requires_grad() || weight.requires_grad() ||
                              bias.requires_grad() || copied.requires_grad());
  std::vector<float> weights;
  if (target_weights.defined()) {
    const torch::Tensor floats = target_weights.to(torch::kFloat32).contiguous();
    weights.assign(floats.data_ptr<float>(), floats.data_ptr<float>() + floats.numel());
  }
  const variable_list sums = CrossEntropyFunction::apply(
      attentional_states.contiguous(), truth.contiguous(), weight, bias, copied, smoothing, scale,
      dropout, distillation, weights, with_gradient);
  return {sums[0], sums[1], sums[2]};
}

}  // namespace seq2seq
