// Sums of gradients over processes, exchanged while the backward pass still runs.
#ifndef SEQ2SEQ_TRAIN_GRADIENT_EXCHANGE_H_
#define SEQ2SEQ_TRAIN_GRADIENT_EXCHANGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include <torch/types.h>

#include "seq2seq/model/parameters.h"
#include "seq2seq/train/process_group.h"

namespace seq2seq {

// Dense gradients share one flat buffer, in the order in which a backward pass completes them. It
// is summed in slices, each sent by a thread of its own as soon as it is complete. Sparse gradients
// follow, as their rows or densely, whichever is fewer bytes. Which gradients are sparse, and the
// order, is what the first update shows; it has no overlap.
//
//   GradientExchange exchange(Parameters(*model), group, GradientCompression::kNone);
//   exchange.Begin();
//   exchange.ExpectLastPass();
//   loss.backward();
//   exchange.Finish(sums);  // Gradients and sums are those of all processes.
//
// All processes call Begin and Finish in turns; one without data runs no pass between.
class GradientExchange {
 public:
  // The group must outlive it, and is used by nothing else between Begin and Finish. With
  // `keep_sparse`, gradients that are sparse in every process stay so, whatever they cost.
  GradientExchange(const TensorMap& parameters, ProcessGroup& group,
                   GradientCompression compression, bool keep_sparse = false);
  ~GradientExchange();

  // Begins an update, or begins it again unless gradients have been sent (has_sent).
  void Begin();

  // The gradients of the next backward pass, or what it adds them up to, are complete after it.
  void ExpectLastPass() { expecting_ = true; }

  // Sets the gradients of all parameters to their sums over the processes; those that no process
  // has are undefined. Adds up `sums` as well, of as many values in each process. Throws as the
  // operations of ProcessGroup do.
  void Finish(absl::Span<double> sums);

  // Whether gradients of this update have been sent already, which cannot be taken back.
  bool has_sent() const { return sent_slices_ > 0; }

  // Seconds that Finish has waited, in all.
  double waiting_seconds() const { return waiting_seconds_; }

 private:
  class Sender;
  struct Slot;
  struct Slice;

  // Called in the backward pass when the gradient of a slot is complete.
  void Complete(size_t slot);
  void AddHook(size_t slot);
  // Copies the gradient of a slot into the flat buffer, which it shares from then on.
  void Fill(Slot& slot);
  void SendCompleteSlices();
  // Fills in what no backward pass has completed, and sends the slices.
  void FillRest();
  // Sets all gradients, by the facts of the slots (see Finish), of all processes.
  void TakeSums(absl::Span<const double> facts_of_slots);
  // The sparse gradient of a slot, summed; `rows` are the numbers of rows of all processes.
  void SumSparse(Slot& slot, absl::Span<const double> rows);
  void SumDense(Slot& slot);
  // Lays out the flat buffer: the slots with a dense gradient, by `order`.
  void LayOut(const std::vector<double>& order);
  void SumValues(torch::Tensor values);

  ProcessGroup& group_;
  const GradientCompression compression_;
  const bool keep_sparse_;
  std::vector<Slot> slots_;
  torch::Tensor flat_;
  std::vector<Slice> slices_;
  size_t sent_slices_ = 0;
  double completed_ = 0;  // Gradients in this update.
  bool expecting_ = false;
  double waiting_seconds_ = 0;
  std::unique_ptr<Sender> sender_;  // Last: its thread reads the others.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_GRADIENT_EXCHANGE_H_
