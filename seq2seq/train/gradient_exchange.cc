#include "seq2seq/train/gradient_exchange.h"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/torch.h>

#include "seq2seq/train/stopwatch.h"

namespace seq2seq {
namespace {

constexpr int64_t kSlices = 8;                    // At most.
constexpr int64_t kSliceSize = int64_t{1} << 18;  // Values of a slice, at least.

}  // namespace

// A parameter and what is known of its gradient.
struct GradientExchange::Slot {
  torch::Tensor parameter;
  std::shared_ptr<torch::autograd::Node> accumulator;  // Has the hook; null until there is one.
  uintptr_t hook = 0;
  int64_t begin = -1;      // In the flat buffer; -1 if it is not there.
  size_t slice = 0;        // If it is there.
  bool completed = false;  // In this update.
  double order = 0;        // Gradients that were complete before it.
};

// A part of the flat buffer.
struct GradientExchange::Slice {
  int64_t begin = 0;
  int64_t end = 0;
  std::vector<size_t> slots;
  size_t completed = 0;  // Slots that are complete in this update.
};

// A thread that runs operations one after the other.
class GradientExchange::Sender {
 public:
  Sender() : thread_([this] { Run(); }) {}

  ~Sender() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void Send(std::function<void()> operation) {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(operation));
    changed_.notify_all();
  }

  // Waits until all are done. Throws the first exception of one; those after it are not run.
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return (queue_.empty() && !running_) || error_; });
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || (!queue_.empty() && !error_); });
      if (stopping_) return;
      const std::function<void()> operation = std::move(queue_.front());
      queue_.pop_front();
      running_ = true;
      lock.unlock();
      std::exception_ptr error;
      try {
        operation();
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      running_ = false;
      error_ = error;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool running_ = false;
  bool stopping_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

GradientExchange::GradientExchange(const TensorMap& parameters, ProcessGroup& group,
                                   GradientCompression compression, bool keep_sparse)
    : group_(group),
      compression_(compression),
      keep_sparse_(keep_sparse),
      sender_(std::make_unique<Sender>()) {
  for (const auto& [name, parameter] : parameters) slots_.emplace_back().parameter = parameter;
}

GradientExchange::~GradientExchange() {
  for (Slot& slot : slots_) {
    if (slot.accumulator) slot.accumulator->del_post_hook(slot.hook);
  }
}

void GradientExchange::AddHook(size_t slot) {
  const auto hook = [this, slot](const torch::autograd::variable_list& outputs,
                                 const torch::autograd::variable_list&) {
    if (expecting_) Complete(slot);
    return outputs;
  };
  Slot& of = slots_[slot];
  of.accumulator = torch::autograd::impl::grad_accumulator(of.parameter);
  of.hook =
      of.accumulator->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(hook));
}

void GradientExchange::Begin() {
  expecting_ = false;
  for (size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].completed = false;
    if (slots_[i].parameter.requires_grad() && !slots_[i].accumulator) AddHook(i);
  }
  for (Slice& slice : slices_) slice.completed = 0;
  sent_slices_ = 0;
  completed_ = 0;
}

void GradientExchange::Fill(Slot& slot) {
  torch::Tensor& gradient = slot.parameter.mutable_grad();
  torch::Tensor view =
      flat_.narrow(0, slot.begin, slot.parameter.numel()).view(slot.parameter.sizes());
  if (!gradient.defined()) {
    view.zero_();
    return;
  }
  view.copy_(gradient.is_sparse() ? gradient.to_dense() : gradient);
  if (slot.parameter.is_cpu()) gradient = view;
}

void GradientExchange::Complete(size_t index) {
  const torch::NoGradGuard no_grad;
  Slot& slot = slots_[index];
  slot.completed = true;
  slot.order = completed_++;
  if (slot.begin < 0) return;
  Fill(slot);
  ++slices_[slot.slice].completed;
  SendCompleteSlices();
}

void GradientExchange::SendCompleteSlices() {
  // In their order, which is that of all processes.
  while (sent_slices_ < slices_.size() &&
         slices_[sent_slices_].completed == slices_[sent_slices_].slots.size()) {
    const Slice& slice = slices_[sent_slices_++];
    const torch::Tensor values = flat_.narrow(0, slice.begin, slice.end - slice.begin);
    sender_->Send([this, values] { SumValues(values); });
  }
}

void GradientExchange::SumValues(torch::Tensor values) {
  switch (compression_) {
    case GradientCompression::kNone:
      return group_.Sum(std::move(values));
    case GradientCompression::kBf16:
      return group_.SumAsBfloat16(std::move(values));
  }
}

void GradientExchange::FillRest() {
  for (Slot& slot : slots_) {
    if (slot.begin < 0 || slot.completed) continue;
    Fill(slot);
    ++slices_[slot.slice].completed;
  }
  SendCompleteSlices();
}

void GradientExchange::Finish(absl::Span<double> sums) {
  const torch::NoGradGuard no_grad;
  expecting_ = false;
  FillRest();  // This process has no data, or a parameter is frozen by now.

  // The facts of each slot: processes with a dense gradient, with a sparse one, the sum of their
  // orders; then the rows of each process's sparse one.
  const auto ranks = static_cast<size_t>(group_.size());
  const size_t facts = 3 + ranks;
  torch::Tensor numbers =
      torch::zeros({static_cast<int64_t>(sums.size() + facts * slots_.size())}, torch::kFloat64);
  auto* values = numbers.data_ptr<double>();
  std::copy(sums.begin(), sums.end(), values);
  double* fact = values + sums.size();
  for (Slot& slot : slots_) {
    torch::Tensor& gradient = slot.parameter.mutable_grad();
    if (gradient.defined()) {
      const bool sparse = slot.begin < 0 && gradient.is_sparse();
      fact[sparse ? 1 : 0] = 1;
      fact[2] = slot.order;
      if (sparse) {
        gradient = gradient.coalesce();
        fact[3 + group_.rank()] = static_cast<double>(gradient._nnz());
      }
    }
    fact += facts;
  }
  const Stopwatch waiting;
  sender_->Send([this, numbers] { group_.Sum(numbers); });
  sender_->Wait();
  std::copy(values, values + sums.size(), sums.begin());
  TakeSums({values + sums.size(), facts * slots_.size()});
  waiting_seconds_ += waiting.Seconds();
}

void GradientExchange::TakeSums(absl::Span<const double> facts_of_slots) {
  const size_t facts = facts_of_slots.size() / slots_.size();
  std::vector<double> order(slots_.size(), -1);  // Of those with a dense gradient.
  bool late = false;                             // Whether one is not in the flat buffer.
  for (size_t i = 0; i < slots_.size(); ++i) {
    const double* fact = facts_of_slots.data() + facts * i;
    if (fact[0] == 0) continue;
    order[i] = fact[2] / (fact[0] + fact[1]);
    late = late || slots_[i].begin < 0;
  }
  const bool first = late && !flat_.defined();
  if (first) {  // Sums in slices have the same rounding in this update as in all that follow.
    LayOut(order);
    FillRest();
    sender_->Wait();
  }
  for (size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    const absl::Span<const double> fact = facts_of_slots.subspan(facts * i, facts);
    if (fact[0] + fact[1] == 0) {
      slot.parameter.mutable_grad() = torch::Tensor();
    } else if (slot.begin >= 0) {
      slot.parameter.mutable_grad() = flat_.narrow(0, slot.begin, slot.parameter.numel())
                                          .view(slot.parameter.sizes())
                                          .to(slot.parameter.device());
    } else if (fact[0] > 0) {
      SumDense(slot);
    } else {
      SumSparse(slot, fact.subspan(3));
    }
  }
  if (late && !first) LayOut(order);  // Parameters that are trained from now on.
}

void GradientExchange::SumDense(Slot& slot) {
  torch::Tensor& gradient = slot.parameter.mutable_grad();
  torch::Tensor sum = torch::zeros(slot.parameter.sizes(), torch::kFloat32);
  if (gradient.defined()) sum.copy_(gradient.is_sparse() ? gradient.to_dense() : gradient);
  SumValues(sum);
  gradient = sum.to(slot.parameter.device());
}

void GradientExchange::SumSparse(Slot& slot, absl::Span<const double> rows) {
  torch::Tensor& gradient = slot.parameter.mutable_grad();
  const auto most = static_cast<int64_t>(*std::max_element(rows.begin(), rows.end()));
  const int64_t width = slot.parameter.size(1);
  const bool half = compression_ == GradientCompression::kBf16;
  const double row_bytes = static_cast<double>(width * (half ? 2 : 4) + 8);
  const double dense_bytes = 2.0 / static_cast<double>(group_.size()) *
                             static_cast<double>(slot.parameter.numel() * (half ? 2 : 4));
  if (!keep_sparse_ && static_cast<double>(most) * row_bytes >= dense_bytes) return SumDense(slot);
  torch::Tensor indices = torch::zeros({most}, torch::kInt64);
  torch::Tensor values = torch::zeros({most, width}, half ? torch::kBFloat16 : torch::kFloat32);
  if (gradient.defined()) {
    indices.narrow(0, 0, gradient._nnz()).copy_(gradient._indices().view({-1}));
    values.narrow(0, 0, gradient._nnz()).copy_(gradient._values());
  }
  const torch::Tensor all_indices = group_.Gather(indices), all_values = group_.Gather(values);
  std::vector<torch::Tensor> taken_indices, taken_values;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto rank = static_cast<int64_t>(i), count = static_cast<int64_t>(rows[i]);
    taken_indices.push_back(all_indices[rank].narrow(0, 0, count));
    taken_values.push_back(all_values[rank].narrow(0, 0, count).to(torch::kFloat32));
  }
  gradient = torch::sparse_coo_tensor(torch::cat(taken_indices).view({1, -1}),
                                      torch::cat(taken_values), slot.parameter.sizes())
                 .coalesce()
                 .to(slot.parameter.device());
}

void GradientExchange::LayOut(const std::vector<double>& order) {
  std::vector<size_t> dense;
  for (size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].begin = -1;
    slots_[i].completed = false;
    if (order[i] >= 0) dense.push_back(i);
  }
  std::stable_sort(dense.begin(), dense.end(),
                   [&](size_t a, size_t b) { return order[a] < order[b]; });
  int64_t total = 0;
  for (const size_t slot : dense) total += slots_[slot].parameter.numel();
  const int64_t size = std::max(kSliceSize, total / kSlices);
  slices_.clear();
  sent_slices_ = 0;
  int64_t end = 0;
  for (const size_t i : dense) {
    if (slices_.empty() || end - slices_.back().begin >= size) slices_.push_back({end, end, {}});
    slots_[i].begin = end;
    slots_[i].slice = slices_.size() - 1;
    end += slots_[i].parameter.numel();
    slices_.back().end = end;
    slices_.back().slots.push_back(i);
  }
  flat_ = torch::empty({total}, torch::kFloat32);
}

}  // namespace seq2seq
