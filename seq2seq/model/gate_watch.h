// How many gates of cells stand nearly open or shut.
#ifndef SEQ2SEQ_MODEL_GATE_WATCH_H_
#define SEQ2SEQ_MODEL_GATE_WATCH_H_

#include <cstdint>
#include <map>

#include <torch/nn/module.h>
#include <torch/types.h>

namespace seq2seq {

// Counts the gates that cells compute on this thread while it lives, so long as they go step by
// step: kernels do not tell. A gate below 0.05 or above 0.95 hardly passes a gradient on.
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

  // Of each cell.
  const std::map<const torch::nn::Module*, Count>& counts() const { return counts_; }

  // Called by cells: `gates` are between 0 and 1. Costs nothing where nobody watches.
  static void Saw(const torch::nn::Module* cell, const torch::Tensor& gates);

 private:
  GateWatch* before_;
  std::map<const torch::nn::Module*, Count> counts_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_GATE_WATCH_H_
