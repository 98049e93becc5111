// Group of processes that train one model together (data parallelism), on one machine or several.
#ifndef SEQ2SEQ_TRAIN_PROCESS_GROUP_H_
#define SEQ2SEQ_TRAIN_PROCESS_GROUP_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <torch/types.h>

#include "seq2seq/train/process_options.h"

namespace seq2seq {

// The place of a process in its group, and where it meets the others.
struct Rendezvous {
  int64_t rank = 0;  // 0 to size - 1.
  int64_t size = 1;
  int64_t local_rank = 0;  // Among the processes of the same machine.
  int64_t local_size = 1;
  std::string address = "127.0.0.1";  // Of the machine of rank 0.
  int64_t port = 29500;
  // Whether the launcher listens at this address, as torchrun may, instead of rank 0.
  bool launcher_listens = false;
  std::string attempt = "";  // Distinguishes groups that meet at the same launcher.
};

// Collective operations on LibTorch's c10d, with Gloo. All processes call the same operations, with
// tensors of equal shapes, in the same order; the results are the same in all of them, bit for bit,
// and from run to run for the same size. One thread at a time. Tensors are contiguous, on the CPU.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(const auto group, ProcessGroup::Connect({.rank = 1, .size = 2}, {}));
//   group->Sum(gradient);
//
// Processes that are lost are named: an operation that fails throws c10::Error with a text such as
// "rank 1 (host, process 77) gives no sign of life", at once if the other has ended, and after
// `timeout` seconds if it hangs.
class ProcessGroup {
 public:
  // Waits for all processes. InvalidArgument for an impossible place; Unavailable, naming the
  // address, or the ranks that have not come within the timeout; Unimplemented in a build without
  // Gloo.
  static absl::StatusOr<std::unique_ptr<ProcessGroup>> Connect(const Rendezvous& place,
                                                               const ProcessOptions& options);

  // Rank 0 waits for the others to leave, for some seconds.
  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  const Rendezvous& place() const { return place_; }
  int64_t rank() const { return place_.rank; }
  int64_t size() const { return place_.size; }

  // Sums `values` over all processes, in place: a ring, which sends 2 (size - 1) / size of them.
  void Sum(torch::Tensor values);

  // The same of fp32 values that are rounded to bf16 to be sent, and whose sum, of fp32, is rounded
  // once more: half the bytes.
  void SumAsBfloat16(torch::Tensor values);

  // Copies the values of rank 0 to all.
  void Broadcast(torch::Tensor values);

  // The values of all processes, [size, ...].
  torch::Tensor Gather(const torch::Tensor& values);
  std::vector<std::string> Gather(const std::string& text);

  // Waits until all processes have called it as often, however long they take: between phases of
  // unequal or unknown length, before the next operation with its timeout. An error names a process
  // that has failed, ended or hangs.
  absl::Status Meet();

  // Tells the others that this process ends with `error`: their operations fail with its text.
  void Fail(const absl::Status& error);

  // Bytes sent by this process in operations on tensors.
  double sent_bytes() const { return sent_bytes_; }

 private:
  struct Connection;

  ProcessGroup(const Rendezvous& place, std::unique_ptr<Connection> connection);
  // Gathers the values of all processes into the rows of `all`.
  void GatherInto(const torch::Tensor& values, const torch::Tensor& all);
  // Runs a collective; turns an exception into one that names the process at fault.
  template <typename Operation>
  void Run(const Operation& operation);

  const Rendezvous place_;
  double sent_bytes_ = 0;
  std::unique_ptr<Connection> connection_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_PROCESS_GROUP_H_
