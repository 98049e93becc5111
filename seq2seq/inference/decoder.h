// Decoders for decoding: one time step of many hypotheses at a time.
#ifndef SEQ2SEQ_INFERENCE_DECODER_H_
#define SEQ2SEQ_INFERENCE_DECODER_H_

#include <memory>

#include "absl/types/span.h"

#include "seq2seq/inference/encoder.h"
#include "seq2seq/kernels/extension.h"
#include "seq2seq/kernels/matrix.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {

// The output layer with packed weights.
struct PackedOutput {
  PackedMatrix weight;              // [attentional, vocab]
  Buffer bias;                      // [1, vocab]
  Array copy_gate, copy_gate_bias;  // [1, attentional], [1]; undefined for models that do not copy.
};

// A decoder at work on one batch: holds the encoder output and the states of the hypotheses. Not
// thread-safe.
class StepDecoder {
 public:
  virtual ~StepDecoder() = default;

  // One time step: a row for each of `rows`, any number for each sentence. The first time step
  // extends the initial states, of which each sentence has one.
  virtual void Step(absl::Span<const Extension> rows) = 0;

  // Of the last time step, valid until the next: logits, [row, vocab], and their log-sum-exp by
  // row.
  virtual Matrix scores() const = 0;
  virtual absl::Span<const float> normalizers() const = 0;
  // And the log-odds of copying; empty for models that do not.
  virtual absl::Span<const float> copy_logits() const = 0;

  // Attention weights of a row, one for each position of its source.
  virtual absl::Span<const float> Attention(size_t row) const = 0;
};

// Base class of decoders. Thread-safe.
class InferenceDecoder {
 public:
  virtual ~InferenceDecoder() = default;

  // Starts with the initial state of each sentence. The decoder and `output`, the output layer,
  // must outlive the result.
  virtual std::unique_ptr<StepDecoder> Begin(const EncoderOutput& sources,
                                             const PackedOutput& output) const = 0;

  // Bytes of the weights that are laid out anew, beside the arrays.
  virtual double packed_bytes() const = 0;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_DECODER_H_
