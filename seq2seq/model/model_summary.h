// Summary of a model: its layers with the shapes of their outputs and the counts of parameters.
#ifndef SEQ2SEQ_MODEL_MODEL_SUMMARY_H_
#define SEQ2SEQ_MODEL_MODEL_SUMMARY_H_

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/module.h>

namespace seq2seq {

// A module with parameters of its own.
struct LayerSummary {
  std::string name;    // "encoder.forward_0"; empty for the model itself.
  std::string kind;    // "LSTM"; empty for modules of no common kind.
  std::string output;  // "[batch, source, 256]"; empty where kind is.
  int64_t trainable = 0;
  int64_t not_trainable = 0;
  // Those of the second bias of a recurrent cell, which torch.nn's cells have beside the one of the
  // formulas; they are not in the counts above.
  int64_t second_bias = 0;

  int64_t parameters() const { return trainable + not_trainable + second_bias; }
};

// The layers of `module`, which a shared_ptr holds, in the order of their registration. Output
// shapes have the length of the source in an encoder, and that of the target elsewhere.
//
// For Embedding(1000, 64), an LSTM cell of 128 and Linear(128, 10): 64,000; 98,816 and a second
// bias of 512; 1,290.
std::vector<LayerSummary> SummarizeModel(const torch::nn::Module& module);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_MODEL_SUMMARY_H_
