#include "seq2seq/inference/grouped_step_decoder.h"

#include <algorithm>

#include "seq2seq/kernels/attention.h"
#include "seq2seq/kernels/log_sum_exp.h"
#include "seq2seq/kernels/packed_sequence.h"
#include "seq2seq/kernels/parallel.h"

namespace seq2seq {
namespace {

// Rounds larger numbers of rows up, so that matrix products have few different shapes.
int64_t Rounded(int64_t rows) { return rows <= 16 ? rows : (rows + 7) / 8 * 8; }

}  // namespace

absl::Span<const float> GroupedStepDecoder::Attention(size_t row) const {
  return {attention_.view().row(static_cast<int64_t>(row)),
          static_cast<size_t>(SourceLength(rows_[row]))};
}

void GroupedStepDecoder::Step(absl::Span<const Extension> rows) {
  rows_.assign(rows.begin(), rows.end());
  const int64_t groups = GroupsFor(size(), /*side_by_side=*/1);
  const int64_t group_size = Rounded((size() + groups - 1) / groups);
  const int64_t needed = Rounded(size());
  const bool grows = needed > capacity_;
  if (grows) {
    capacity_ = needed;
    attention_ = Buffer(needed, longest_);
    scores_ = Buffer(needed, output_.weight.columns());
    normalizers_.resize(static_cast<size_t>(needed));
    if (copies()) copy_logits_.resize(static_cast<size_t>(needed));
  }
  BeginStep(needed, grows);
  ParallelFor((size() + group_size - 1) / group_size, [&](int64_t number) {
    const int64_t begin = number * group_size;
    const int64_t count = std::min(group_size, Rounded(size() - begin));
    RunGroup(
        {absl::MakeConstSpan(rows_).subspan(static_cast<size_t>(begin), static_cast<size_t>(count)),
         begin, count});
  });
}

void GroupedStepDecoder::Score(ConstMatrix outputs, const Group& group) {
  const Matrix scores = group.Of(scores_);
  Multiply(outputs, output_.weight, scores, output_.bias.view().data);
  LogSumExp(First(scores, static_cast<int64_t>(group.rows.size())),
            normalizers_.data() + group.begin);
  if (!copies()) return;
  const float bias = *output_.copy_gate_bias.values<float>();
  for (size_t row = 0; row < group.rows.size(); ++row) {
    float& logit = copy_logits_[static_cast<size_t>(group.begin) + row];
    DotScores(output_.copy_gate.matrix(), outputs.row(static_cast<int64_t>(row)), &logit);
    logit += bias;
  }
}

}  // namespace seq2seq
