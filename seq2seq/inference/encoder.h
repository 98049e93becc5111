// Encoders for decoding: from sources to the encoder output that decoders attend to.
#ifndef SEQ2SEQ_INFERENCE_ENCODER_H_
#define SEQ2SEQ_INFERENCE_ENCODER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/kernels/matrix.h"
#include "seq2seq/source/source.h"

namespace seq2seq {

// Encoder output of a batch: a row per source position, sentence after sentence, without padding.
struct EncoderOutput {
  // `rows` positions of `size` values: uninitialised, but for zeros that round the rows up to a
  // multiple of 16, so that products have few shapes.
  static Buffer Rows(int64_t rows, int64_t size);

  Buffer values;                // [row, size]
  std::vector<int64_t> begins;  // [batch + 1], the first row of each sentence, and their number.
  Buffer summary;               // [batch, size], for the bridge.
  // The final states of the recurrent layers, [batch, size], where the bridge is `layers`; the cell
  // states are empty for cells without one.
  std::vector<Buffer> hidden = {}, cell_state = {};

  int64_t batch() const { return static_cast<int64_t>(begins.size()) - 1; }
  int64_t length(int64_t sentence) const {
    return begins[static_cast<size_t>(sentence) + 1] - begins[static_cast<size_t>(sentence)];
  }
  // The rows of a sentence among `rows`, which are as `values`.
  Matrix Of(int64_t sentence, const Buffer& rows) const {
    return rows.view().Rows(begins[static_cast<size_t>(sentence)], length(sentence));
  }
  // The mean of the positions of each sentence, [batch, size].
  Buffer Means() const;
};

// Base class of encoders. Thread-safe.
class InferenceEncoder {
 public:
  virtual ~InferenceEncoder() = default;

  // Encodes loaded sources, at least one.
  virtual EncoderOutput Encode(absl::Span<const SourceInput* const> sources) const = 0;

  // Bytes of the weights that are laid out anew, beside the arrays.
  virtual double packed_bytes() const = 0;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_ENCODER_H_
