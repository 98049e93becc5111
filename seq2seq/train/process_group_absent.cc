// The build without Gloo: one process trains.
#include <c10/util/Exception.h>

#include "seq2seq/train/process_group.h"

namespace seq2seq {
namespace {

constexpr char kAbsent[] = "this build trains in one process: build with SEQ2SEQ_PROCESSES=ON";

}  // namespace

struct ProcessGroup::Connection {};

absl::StatusOr<std::unique_ptr<ProcessGroup>> ProcessGroup::Connect(const Rendezvous&,
                                                                    const ProcessOptions&) {
  return absl::UnimplementedError(kAbsent);
}

ProcessGroup::~ProcessGroup() = default;

void ProcessGroup::Sum(torch::Tensor) { TORCH_CHECK(false, kAbsent); }
void ProcessGroup::SumAsBfloat16(torch::Tensor) { TORCH_CHECK(false, kAbsent); }
void ProcessGroup::Broadcast(torch::Tensor) { TORCH_CHECK(false, kAbsent); }
torch::Tensor ProcessGroup::Gather(const torch::Tensor&) { TORCH_CHECK(false, kAbsent); }
std::vector<std::string> ProcessGroup::Gather(const std::string&) { TORCH_CHECK(false, kAbsent); }
absl::Status ProcessGroup::Meet() { return absl::UnimplementedError(kAbsent); }
void ProcessGroup::Fail(const absl::Status&) {}

}  // namespace seq2seq
