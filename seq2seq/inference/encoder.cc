#include "seq2seq/inference/encoder.h"

namespace seq2seq {

Buffer EncoderOutput::Rows(int64_t rows, int64_t size) {
  Buffer buffer((rows + 15) / 16 * 16, size);
  Clear(Rest(buffer.view(), rows));
  return buffer;
}

}  // namespace seq2seq
