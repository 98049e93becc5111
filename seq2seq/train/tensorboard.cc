#include "seq2seq/train/tensorboard.h"

#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include <torch/torch.h>

namespace seq2seq {
namespace {

ValueHistogram HistogramOf(const torch::Tensor& tensor) {
  const torch::Tensor dense = tensor.is_sparse() ? tensor.to_dense() : tensor;
  const torch::Tensor values = dense.detach().to(torch::kCPU, torch::kFloat32).contiguous();
  ValueHistogram histogram;
  histogram.Add(values.data_ptr<float>(), static_cast<size_t>(values.numel()));
  return histogram;
}

// The name of a parameter as a tag, grouped by module.
std::string Tag(const char* group, const std::string& parameter) {
  return absl::StrCat(group, "/", parameter);
}

// A text as a cell of Markdown.
std::string Cell(const std::string& text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"}, {"<", "&lt;"}});
}

}  // namespace

absl::Status TensorBoard::Add(const Progress& progress) {
  Summary summary;
  const auto add = [&](const char* name, double value) {
    if (std::isfinite(value)) summary.Scalar(absl::StrCat("train/", name), value);
  };
  add("loss", progress.loss);
  add("perplexity", progress.perplexity);
  if (progress.reward) add("reward", *progress.reward);
  add("token_accuracy", progress.token_accuracy);
  add("gradient_norm", progress.gradient_norm);
  add("learning_rate", progress.learning_rate);
  add("teacher_forcing", progress.teacher_forcing);
  add("tokens_per_second", progress.tokens_per_second);
  add("epoch", progress.epoch);
  return file_.Append(progress.update, summary);
}

absl::Status TensorBoard::Add(const Validation& validation) {
  Summary summary;
  for (const auto& [name, value] : validation.metrics)
    summary.Scalar(absl::StrCat("valid/", name), value);
  return file_.Append(validation.update, summary);
}

absl::Status TensorBoard::Add(int64_t update, absl::Span<const ValidationSample> samples) {
  Summary summary;
  for (size_t i = 0; i < samples.size(); ++i) {
    const ValidationSample& sample = samples[i];
    summary.Text(
        absl::StrCat("output/", i),
        absl::StrCat("| | |\n|---|---|\n| source | ", Cell(sample.source), " |\n| reference | ",
                     Cell(sample.reference), " |\n| output | ", Cell(sample.output), " |\n"));
    if (sample.attention.empty()) continue;
    std::vector<float> weights;
    for (const std::vector<float>& row : sample.attention)
      weights.insert(weights.end(), row.begin(), row.end());
    summary.Image(absl::StrCat("attention/", i), sample.attention.size(),
                  sample.attention[0].size(), weights);
  }
  return file_.Append(update, summary);
}

absl::Status TensorBoard::AddHistograms(int64_t update, const TensorMap& parameters) {
  Summary summary;
  for (const auto& [name, parameter] : parameters) {
    summary.Histogram(Tag("weights", name), HistogramOf(parameter));
    if (parameter.grad().defined())
      summary.Histogram(Tag("gradients", name), HistogramOf(parameter.grad()));
  }
  return file_.Append(update, summary);
}

}  // namespace seq2seq
