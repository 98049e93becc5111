#include "seq2seq/model/module_inference_encoder.h"

#include <algorithm>
#include <utility>

#include <torch/torch.h>

#include "seq2seq/data/batch.h"

namespace seq2seq {
namespace {

// Copies the first `count` rows of a contiguous tensor of floats, [row, size].
void CopyRows(const torch::Tensor& from, int64_t count, Matrix to) {
  const int64_t size = from.size(1);
  Copy({from.data_ptr<float>(), count, size, size}, to);
}

}  // namespace

ModuleInferenceEncoder::ModuleInferenceEncoder(Encoder encoder) : encoder_(std::move(encoder)) {}

EncoderOutput ModuleInferenceEncoder::Encode(absl::Span<const SourceInput* const> sources) const {
  const torch::InferenceMode inference;
  Encoder encoder = encoder_;
  const Encoded encoded = encoder(CollateSources(sources));
  const auto* lengths = encoded.lengths.data_ptr<int64_t>();
  const int64_t batch = encoded.lengths.numel();
  const torch::Tensor values = encoded.values.contiguous();
  const torch::Tensor summary = encoded.final.contiguous();

  EncoderOutput output;
  output.begins = {0};
  for (int64_t i = 0; i < batch; ++i) output.begins.push_back(output.begins.back() + lengths[i]);
  output.values = EncoderOutput::Rows(output.begins.back(), values.size(2));
  output.summary = Buffer(batch, summary.size(1));
  CopyRows(summary, batch, output.summary.view());
  for (int64_t i = 0; i < batch; ++i) CopyRows(values[i], lengths[i], output.Of(i, output.values));
  return output;
}

double ModuleInferenceEncoder::packed_bytes() const {
  double bytes = 0;
  for (const torch::Tensor& parameter : encoder_->parameters())
    bytes += static_cast<double>(parameter.nbytes());
  return bytes;
}

}  // namespace seq2seq
