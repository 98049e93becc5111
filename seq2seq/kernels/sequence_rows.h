// Rows of a batch of sequences, sequence after sequence: no padding.
#ifndef SEQ2SEQ_KERNELS_SEQUENCE_ROWS_H_
#define SEQ2SEQ_KERNELS_SEQUENCE_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// Numbers the tokens of a batch for layers that compute all time steps at once: all tokens of the
// first sequence, then those of the second, and so on.
//
//   lengths 2, 3, 1  ->  rows  a1 a2 | b1 b2 b3 | c1
//
// A tensor of tokens has rows() rows, a multiple of 16, so that matrix products have few different
// shapes. What computes with the sequences sets those past the last token to zero, in values and in
// gradients; what computes row by row treats them as any other row, and so keeps gradients zero.
class SequenceRows {
 public:
  // Lengths of at least 0.
  explicit SequenceRows(absl::Span<const int64_t> lengths) : begins_{0} {
    for (const int64_t length : lengths) begins_.push_back(tokens() + length);
  }

  int64_t batch() const { return static_cast<int64_t>(begins_.size()) - 1; }
  int64_t begin(int64_t sequence) const { return begins_[static_cast<size_t>(sequence)]; }
  int64_t length(int64_t sequence) const { return begin(sequence + 1) - begin(sequence); }
  int64_t tokens() const { return begins_.back(); }
  int64_t rows() const { return (tokens() + 15) / 16 * 16; }

  // The rows of a sequence.
  template <typename T>
  MatrixView<T> Of(MatrixView<T> rows, int64_t sequence) const {
    return rows.Rows(begin(sequence), length(sequence));
  }

  // The rows past the last token.
  Matrix Tail(Matrix rows) const { return Rest(rows, tokens()); }

  // Calls for every token, in the order of rows.
  void ForEachToken(
      absl::FunctionRef<void(int64_t row, int64_t sequence, int64_t step)> call) const {
    for (int64_t i = 0; i < batch(); ++i) {
      for (int64_t step = 0; step < length(i); ++step) call(begin(i) + step, i, step);
    }
  }

 private:
  std::vector<int64_t> begins_;  // [batch + 1]
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_SEQUENCE_ROWS_H_
