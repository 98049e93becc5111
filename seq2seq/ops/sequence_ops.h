// Conversion between padded sequences and the kernels' rows without padding, in both of their
// layouts: PackedSequence for recurrent layers, SequenceRows for layers over whole sequences.
#ifndef SEQ2SEQ_OPS_SEQUENCE_OPS_H_
#define SEQ2SEQ_OPS_SEQUENCE_OPS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include <torch/types.h>

#include "seq2seq/kernels/packed_sequence.h"
#include "seq2seq/kernels/sequence_rows.h"

namespace seq2seq {

// The packed layout of sequences of `lengths`, [batch], for layers that run `side_by_side` cells in
// parallel.
std::shared_ptr<const PackedSequence> PackSequence(const torch::Tensor& lengths,
                                                   int64_t side_by_side);

// The rows of sequences of `lengths`, [batch], sequence after sequence.
std::shared_ptr<const SequenceRows> MakeSequenceRows(const torch::Tensor& lengths);

// Where the rows of the first and the last token of each sequence are: [batch].
struct SequenceEnds {
  torch::Tensor first, last;
};
SequenceEnds EndsOf(const PackedSequence& steps, int64_t batch);

// The ids of tokens, [batch, time], in the order of `steps`: [row]; padding after the last token.
std::vector<int64_t> OrderTokens(const torch::Tensor& tokens, const PackedSequence& steps);

// The gradient of an embedding table, [vocab, size], from that of the embeddings of `ids`, [row,
// size]: sparse and coalesced, without the row of padding.
torch::Tensor EmbeddingGradient(absl::Span<const int64_t> ids, const torch::Tensor& gradient,
                                int64_t vocab);

// The embeddings, [row, size], of the tokens, [batch, time], of `steps`, with dropout if `rate` is
// not 0. The gradient is sparse: it has the rows of the tokens, except padding.
torch::Tensor FusedEmbedding(const torch::Tensor& weight, const torch::Tensor& tokens,
                             std::shared_ptr<const PackedSequence> steps, double rate);

// The same in the order of `rows`, times `scale` before dropout, such as sqrt(size) (Vaswani et al.
// 2017).
torch::Tensor FusedEmbedding(const torch::Tensor& weight, const torch::Tensor& tokens,
                             std::shared_ptr<const SequenceRows> rows, double scale, double rate);

// Dropout of rows, [row, size].
torch::Tensor FusedDropout(const torch::Tensor& rows, double rate);

// From padded sequences to the rows of a layout: [batch, time, size] -> [row, size], zero past the
// last token.
torch::Tensor PackRows(const torch::Tensor& padded, std::shared_ptr<const PackedSequence> steps);
torch::Tensor PackRows(const torch::Tensor& padded, std::shared_ptr<const SequenceRows> rows);

// From the rows of a layout to padded sequences: [row, size] -> [batch, time, size], zero at
// padding.
torch::Tensor PadRows(const torch::Tensor& rows, std::shared_ptr<const PackedSequence> steps,
                      int64_t time);
torch::Tensor PadRows(const torch::Tensor& values, std::shared_ptr<const SequenceRows> rows,
                      int64_t time);

}  // namespace seq2seq

#endif  // SEQ2SEQ_OPS_SEQUENCE_OPS_H_
