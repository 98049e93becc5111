#include "seq2seq/train/replicas.h"

#include <cstdint>

#include <torch/torch.h>

#include "seq2seq/base/fingerprint.h"

namespace seq2seq {
namespace {

// The values of a tensor in memory that collective operations take.
torch::Tensor OnCpu(const torch::Tensor& tensor) { return tensor.detach().cpu().contiguous(); }

}  // namespace

void CopyReplicas(const TensorMap& tensors, ProcessGroup& group) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor values = OnCpu(tensor);
    group.Broadcast(values);
    if (group.rank() > 0) tensor.detach().copy_(values);
  }
}

void AverageReplicas(const TensorMap& tensors, ProcessGroup& group) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor values = OnCpu(tensor);
    group.Sum(values);
    tensor.detach().copy_(values / static_cast<double>(group.size()));
  }
}

bool AreReplicasEqual(const TensorMap& tensors, ProcessGroup& group) {
  Fingerprint content;
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor values = OnCpu(tensor);
    content.Add({static_cast<const char*>(values.data_ptr()), values.nbytes()});
  }
  const torch::Tensor all = group.Gather(torch::tensor(static_cast<int64_t>(content.value())));
  return (all == all[0]).all().item<bool>();
}

}  // namespace seq2seq
