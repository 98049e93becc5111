// Statistics of saturated gates of recurrent cells.
#ifndef SEQ2SEQ_MODEL_GATE_WATCH_H_
#define SEQ2SEQ_MODEL_GATE_WATCH_H_

#include <cstdint>
#include <map>

#include <torch/nn/module.h>
#include <torch/types.h>

namespace seq2seq {

// Counts the gates that cells compute on this thread during its lifetime; those in the kernels are
// not reported. A gate below 0.05 or above 0.95 is saturated: hardly any gradient passes it.
//
//   ComputeGuard guard({.fused = false});
//   GateWatch watch;
//   model(batch, TeacherForcing());
//   double share = watch.counts().at(&cell).Share();
class GateWatch {
 public:
  struct Count {
    int64_t saturated = 0;
    int64_t gates = 0;

    double Share() const {
      return gates == 0 ? 0 : static_cast<double>(saturated) / static_cast<double>(gates);
    }
  };

  GateWatch();
  ~GateWatch();
  GateWatch(const GateWatch&) = delete;
  GateWatch& operator=(const GateWatch&) = delete;

  // By cell.
  const std::map<const torch::nn::Module*, Count>& counts() const { return counts_; }

  // Called by cells with `gates` between 0 and 1. Costs nothing unless a GateWatch lives on this
  // thread.
  static void Saw(const torch::nn::Module* cell, const torch::Tensor& gates);

 private:
  GateWatch* before_;
  std::map<const torch::nn::Module*, Count> counts_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_GATE_WATCH_H_
