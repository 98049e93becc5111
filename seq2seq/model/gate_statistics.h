// Statistics of saturated gates of recurrent cells.
#ifndef SEQ2SEQ_MODEL_GATE_STATISTICS_H_
#define SEQ2SEQ_MODEL_GATE_STATISTICS_H_

#include <cstdint>
#include <map>

#include <torch/nn/module.h>
#include <torch/types.h>

namespace seq2seq {

// Counts the gates that cells compute on this thread during its lifetime; those in the kernels are
// not reported. A gate below 0.05 or above 0.95 is saturated: hardly any gradient passes it.
//
//   ComputeGuard guard({.fused = false});
//   GateStatistics statistics;
//   model(batch, TeacherForcing());
//   double share = statistics.counts().at(&cell).Share();
class GateStatistics {
 public:
  struct Count {
    int64_t saturated = 0;
    int64_t gates = 0;

    double Share() const {
      return gates == 0 ? 0 : static_cast<double>(saturated) / static_cast<double>(gates);
    }
  };

  GateStatistics();
  ~GateStatistics();
  GateStatistics(const GateStatistics&) = delete;
  GateStatistics& operator=(const GateStatistics&) = delete;

  // By cell.
  const std::map<const torch::nn::Module*, Count>& counts() const { return counts_; }

  // Called by cells with `gates` between 0 and 1. Costs nothing unless a GateStatistics lives on
  // this thread.
  static void Add(const torch::nn::Module* cell, const torch::Tensor& gates);

 private:
  GateStatistics* before_;
  std::map<const torch::nn::Module*, Count> counts_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_GATE_STATISTICS_H_
