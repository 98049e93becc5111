// Time steps of decoders whose rows are dealt to threads in groups.
#ifndef SEQ2SEQ_INFERENCE_GROUPED_STEP_DECODER_H_
#define SEQ2SEQ_INFERENCE_GROUPED_STEP_DECODER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/inference/decoder.h"
#include "seq2seq/kernels/extension.h"
#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// Base class of step decoders. Rows are divided among the threads; if there are few, the threads
// share the matrix products instead. Keeps the logits and the attention weights of a time step in
// buffers that the next reuses.
class GroupedStepDecoder : public StepDecoder {
 public:
  void Step(absl::Span<const Extension> rows) final;

  Matrix scores() const final { return First(scores_.view(), size()); }
  absl::Span<const float> normalizers() const final { return {normalizers_.data(), rows_.size()}; }
  absl::Span<const float> copy_logits() const final {
    return absl::MakeConstSpan(copy_logits_).first(copies() ? rows_.size() : 0);
  }
  absl::Span<const float> Attention(size_t row) const final;

 protected:
  // Part of a time step: `rows`, which begin at row `begin` of the buffers, padded to `count` rows.
  struct Group {
    Matrix Of(const Buffer& buffer) const { return buffer.view().Rows(begin, count); }

    absl::Span<const Extension> rows;
    int64_t begin;
    int64_t count;
  };

  // The output layer must outlive it; sources have at most `longest` positions.
  GroupedStepDecoder(const PackedOutput& output, int64_t longest)
      : output_(output), longest_(longest) {}

  // Prepares a time step of `rows` rows, padding included; with `grows`, capacity() has changed.
  virtual void BeginStep(int64_t rows, bool grows) = 0;
  // Computes the attention weights and, by Score, the logits of a group.
  virtual void RunGroup(const Group& group) = 0;
  // The number of positions of the source of a row.
  virtual int64_t SourceLength(const Extension& row) const = 0;

  // Sets the logits, with normaliser and those of copying, of a group from the inputs of the output
  // layer, [row, output].
  void Score(ConstMatrix outputs, const Group& group);

  absl::Span<const Extension> rows() const { return rows_; }  // Of this time step.
  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  int64_t capacity() const { return capacity_; }  // Of buffers, in rows.
  int64_t longest() const { return longest_; }
  const Buffer& attention_weights() const { return attention_; }  // [row, longest]

 private:
  bool copies() const { return output_.copy_gate.defined(); }

  const PackedOutput& output_;
  const int64_t longest_;
  std::vector<Extension> rows_;
  int64_t capacity_ = 0;
  Buffer attention_, scores_;                     // [row, …]
  std::vector<float> normalizers_, copy_logits_;  // [row]
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_GROUPED_STEP_DECODER_H_
