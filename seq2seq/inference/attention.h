// Attention for decoding, on the kernels.
#ifndef SEQ2SEQ_INFERENCE_ATTENTION_H_
#define SEQ2SEQ_INFERENCE_ATTENTION_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "seq2seq/inference/attention_kind.h"
#include "seq2seq/inference/decoder_options.h"
#include "seq2seq/inference/encoder.h"
#include "seq2seq/kernels/attention.h"
#include "seq2seq/kernels/product.h"

namespace seq2seq {

// Keys and values of a batch. A value; copies share memory.
struct BatchMemory {
  Buffer keys, values;                     // [row, key], [row, value], rows as in EncoderOutput.
  std::vector<AttentionMemory> sentences;  // [batch], views of these.
};

// Base class of attentions. Agrees with AttentionImpl of model/attention.h. Thread-safe.
class InferenceAttention {
 public:
  virtual ~InferenceAttention() = default;

  // Computes keys and values, once for each batch.
  virtual BatchMemory Memorize(const EncoderOutput& sources) const = 0;

  // The projection of queries, [hidden, hidden]; empty where they are used as they are.
  const PackedMatrix& query() const { return query_; }

  // Attends to a sentence with a projected query: weights [source], context [context]. `past` is
  // the result of UpdatePast at the previous time step, zeros at the first; unused without
  // HasPast(kind).
  virtual void Attend(const AttentionMemory& source, const float* query, const float* past,
                      float* weights, float* context) const = 0;

  // Sets `past`, [source], in which that of the previous time step stands, from the attention
  // weights of this one.
  virtual void UpdatePast(const float* weights, int64_t source, float* past) const {}

  // Bytes of the weights that are laid out anew, beside the arrays.
  virtual int64_t packed_bytes() const { return query_.bytes(); }

 protected:
  explicit InferenceAttention(PackedMatrix query) : query_(std::move(query)) {}

 private:
  const PackedMatrix query_;
};

// The attention of `options` to encoder output of size `memory`. Packs the weights, which are then
// removed from `arrays`; shares the others.
std::unique_ptr<const InferenceAttention> MakeInferenceAttention(const DecoderOptions& options,
                                                                 int64_t memory,
                                                                 AttentionArrays& arrays,
                                                                 Precision precision);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_ATTENTION_H_
