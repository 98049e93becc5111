// Image network from a TorchScript file.
#ifndef SEQ2SEQ_MODEL_SCRIPT_NETWORK_H_
#define SEQ2SEQ_MODEL_SCRIPT_NETWORK_H_

#include <memory>
#include <string>

#include <torch/nn/pimpl.h>

#include "seq2seq/model/image_network.h"

namespace seq2seq {

// A module saved by torch.jit.save. Always runs in eval mode, as its normalisation statistics come
// from more images than a caption corpus has.
class ScriptNetworkImpl : public ImageNetworkImpl {
 public:
  // With `fine_tune` the parameters of the script are registered in this module, with slashes for
  // the dots in their names; else the module has none. Throws if the file is invalid.
  ScriptNetworkImpl(const std::string& path, bool fine_tune);
  ~ScriptNetworkImpl() override;

  torch::Tensor forward(const torch::Tensor& images) override;

  // Moves the script too.
  using torch::nn::Module::to;
  void to(torch::Device device, bool non_blocking) override;

 private:
  struct Script;  // Keeps the headers of TorchScript out of this one.

  std::unique_ptr<Script> script_;
};
TORCH_MODULE(ScriptNetwork);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_SCRIPT_NETWORK_H_
