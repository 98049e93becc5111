#include "seq2seq/inference/encoder.h"

#include <numeric>

namespace seq2seq {

Buffer EncoderOutput::Rows(int64_t rows, int64_t size) {
  Buffer buffer((rows + 15) / 16 * 16, size);
  Clear(Rest(buffer.view(), rows));
  return buffer;
}

EncoderOutput NoInferenceEncoder::Encode(absl::Span<const SourceInput* const> sources) const {
  const auto batch = static_cast<int64_t>(sources.size());
  EncoderOutput output = {Buffer(batch, 0), {}, Buffer(batch, 0)};
  output.begins.resize(sources.size() + 1);
  std::iota(output.begins.begin(), output.begins.end(), 0);
  return output;
}

}  // namespace seq2seq
