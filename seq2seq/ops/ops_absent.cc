// Stubs of ops/*_op.cc and ops/*_ops.cc for a build without the kernels, where UsesKernels is false
// and nothing calls them.
#include <c10/util/Exception.h>

#include "seq2seq/ops/decoder_op.h"
#include "seq2seq/ops/output_loss_op.h"
#include "seq2seq/ops/recurrent_ops.h"
#include "seq2seq/ops/sequence_ops.h"
#include "seq2seq/ops/transformer_ops.h"

namespace seq2seq {

CellState FusedGates(const CellParameters&, const torch::Tensor&, const torch::Tensor&,
                     const CellState&) {
  TORCH_CHECK(false, "built without kernels");
}

std::shared_ptr<const PackedSequence> PackSequence(const torch::Tensor&, int64_t) {
  TORCH_CHECK(false, "built without kernels");
}

SequenceEnds EndsOf(const PackedSequence&, int64_t) { TORCH_CHECK(false, "built without kernels"); }

CellState FusedLayer(absl::Span<const CellParameters>, const torch::Tensor&,
                     std::shared_ptr<const PackedSequence>, const PassPhases&, bool) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor FusedLinear(const torch::Tensor&, const torch::Tensor&, const PassPhases&,
                          const torch::Tensor&) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor FusedEmbedding(const torch::Tensor&, const torch::Tensor&,
                             std::shared_ptr<const PackedSequence>, double) {
  TORCH_CHECK(false, "built without kernels");
}

std::shared_ptr<const SequenceRows> MakeSequenceRows(const torch::Tensor&) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor FusedEmbedding(const torch::Tensor&, const torch::Tensor&,
                             std::shared_ptr<const SequenceRows>, double, double) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor FusedDropout(const torch::Tensor&, double) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor PackRows(const torch::Tensor&, std::shared_ptr<const PackedSequence>) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor PadRows(const torch::Tensor&, std::shared_ptr<const PackedSequence>, int64_t) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor PackRows(const torch::Tensor&, std::shared_ptr<const SequenceRows>) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor PadRows(const torch::Tensor&, std::shared_ptr<const SequenceRows>, int64_t) {
  TORCH_CHECK(false, "built without kernels");
}

FusedDecoded FusedDecode(const FusedDecoder&, const torch::Tensor&, const torch::Tensor&,
                         const FusedMemory&, const std::vector<CellState>&, const FusedSampling&,
                         bool) {
  TORCH_CHECK(false, "built without kernels");
}

Loss FusedCrossEntropy(const torch::Tensor&, const torch::Tensor&, const torch::Tensor&,
                       const torch::Tensor&, double, double, double, const Distillation&,
                       const torch::Tensor&, const torch::Tensor&) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor FusedLayerNorm(const torch::Tensor&, const torch::Tensor&, const torch::Tensor&,
                             const PassPhases&) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor FusedSelfAttention(const torch::Tensor&, std::shared_ptr<const SequenceRows>,
                                 const FusedHeads&, const PassPhases&) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor FusedCrossAttention(const torch::Tensor&, const torch::Tensor&,
                                  std::shared_ptr<const SequenceRows>,
                                  std::shared_ptr<const SequenceRows>, const FusedHeads&,
                                  const PassPhases&) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor FusedActivation(const torch::Tensor&, ActivationKind, const PassPhases&) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor FusedGated(const torch::Tensor&, ActivationKind, const PassPhases&) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor FusedDropoutAdd(const torch::Tensor&, const torch::Tensor&, double,
                              const PassPhases&) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor FusedSsru(const torch::Tensor&, std::shared_ptr<const SequenceRows>,
                        const PassPhases&) {
  TORCH_CHECK(false, "built without kernels");
}

std::shared_ptr<const RotaryTable> MakeRotaryTable(int64_t, int64_t, double) {
  TORCH_CHECK(false, "built without kernels");
}

torch::Tensor FusedRotary(const torch::Tensor&, int64_t, std::shared_ptr<const RotaryTable>,
                          std::shared_ptr<const SequenceRows>, const PassPhases&) {
  TORCH_CHECK(false, "built without kernels");
}

}  // namespace seq2seq
