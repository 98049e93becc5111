// Packed sequences: no padding, rows in the order in which recurrent layers read them.
#ifndef SEQ2SEQ_KERNELS_PACKED_SEQUENCE_H_
#define SEQ2SEQ_KERNELS_PACKED_SEQUENCE_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// Numbers the tokens of a batch: the first tokens of all sequences, then the second tokens, and so
// on. The sequences are divided into groups, which threads process in parallel; in each time step a
// group's rows are contiguous, the longest sequence first. So the sequences of a group that reach a
// time step are the first ones of the previous time step.
//
//   lengths 2, 3, 1 in one group  ->  rows  b1 a1 c1 | b2 a2 | b3
//
// A tensor of tokens has rows() rows, a multiple of 16, so that matrix products have few different
// shapes; those past the last token are zero.
class PackedSequence {
 public:
  // Lengths of at least 1.
  PackedSequence(absl::Span<const int64_t> lengths, int64_t groups);

  int64_t steps() const { return static_cast<int64_t>(begins_.size()) / groups() - 1; }
  int64_t groups() const { return static_cast<int64_t>(groups_.size()); }
  int64_t tokens() const { return tokens_; }
  int64_t rows() const { return (tokens_ + 15) / 16 * 16; }

  // The first row of a group in a time step, and how many of its sequences reach that.
  int64_t begin(int64_t step, int64_t group) const {
    return begins_[static_cast<size_t>(step * groups() + group)];
  }
  int64_t count(int64_t step, int64_t group) const {
    return counts_[static_cast<size_t>(step * groups() + group)];
  }

  // How many sequences a group has, the index in the batch of the i-th of them, and its length.
  int64_t size(int64_t group) const { return static_cast<int64_t>(Members(group).size()); }
  int64_t sequence(int64_t group, int64_t i) const {
    return Members(group)[static_cast<size_t>(i)].sequence;
  }
  int64_t length(int64_t group, int64_t i) const {
    return Members(group)[static_cast<size_t>(i)].length;
  }

  // The rows of a group in a time step.
  template <typename T>
  MatrixView<T> Of(MatrixView<T> rows, int64_t step, int64_t group) const {
    return rows.Rows(begin(step, group), count(step, group));
  }

  // The rows past the last token.
  Matrix Tail(Matrix rows) const { return Rest(rows, tokens_); }

  // Calls for every token, in the order of rows.
  void ForEachToken(
      absl::FunctionRef<void(int64_t row, int64_t sequence, int64_t step)> call) const;

 private:
  struct Member {
    int64_t sequence;
    int64_t length;
  };

  const std::vector<Member>& Members(int64_t group) const {
    return groups_[static_cast<size_t>(group)];
  }

  std::vector<std::vector<Member>> groups_;
  std::vector<int64_t> begins_;  // [step, group], with one more step.
  std::vector<int64_t> counts_;  // [step, group], with one more step.
  int64_t tokens_ = 0;
};

// As many groups as there are threads for `side_by_side` batches at once, with enough sequences in
// each to fill a matrix product.
int64_t GroupsFor(int64_t sequences, int64_t side_by_side);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_PACKED_SEQUENCE_H_
