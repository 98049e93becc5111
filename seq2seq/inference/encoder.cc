#include "seq2seq/inference/encoder.h"

#include "seq2seq/kernels/gates.h"

namespace seq2seq {

Buffer EncoderOutput::Rows(int64_t rows, int64_t size) {
  Buffer buffer((rows + 15) / 16 * 16, size);
  Clear(Rest(buffer.view(), rows));
  return buffer;
}

Buffer EncoderOutput::Means() const {
  Buffer means(batch(), values.view().columns);
  for (int64_t sentence = 0; sentence < batch(); ++sentence) {
    SumRows(Of(sentence, values), means.view().row(sentence));
    Scale(means.view().Rows(sentence, 1), 1 / static_cast<float>(length(sentence)));
  }
  return means;
}

}  // namespace seq2seq
