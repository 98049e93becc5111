// Image networks: from pixels to a grid of features.
#ifndef SEQ2SEQ_MODEL_IMAGE_NETWORK_H_
#define SEQ2SEQ_MODEL_IMAGE_NETWORK_H_

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

namespace seq2seq {

enum class ImageNetworkKind { kResidual, kTorchscript, kOnnx, kFeatures };

inline std::vector<std::string> EnumTexts(ImageNetworkKind) {
  return {"residual", "torchscript", "onnx", "features"};
}

struct ImageNetworkOptions {
  ImageNetworkKind kind = ImageNetworkKind::kResidual;
  std::string path;
  bool fine_tune = false;
  // Whether a TorchScript file, which is code, may run. Not an option key: no file can set it.
  bool allow_scripts = false;
  int64_t width = 32;
  int64_t blocks = 2;

  // Whether the features never change, so that they are computed once per image.
  bool is_frozen() const { return kind != ImageNetworkKind::kResidual && !fine_tune; }

  template <typename V>
  void Visit(V&& visit) {
    visit("kind", kind,
          "residual: a small ResNet trained with the decoder; torchscript, onnx: the network in "
          "`path`; features: none, `data.images` holds features in .npy or .safetensors files.");
    visit("path", path,
          "torchscript, onnx: the file, a network from images [batch, 3, height, width] to "
          "features [batch, channels, rows, columns]. TorchScript is code and runs with "
          "--allow-scripts only.");
    visit("fine_tune", fine_tune, "torchscript: train its parameters too; see train.fine_tune.");
    visit("width", width,
          "residual: channels of the first stage, 1 to 1,024; each next stage has twice as many.");
    visit("blocks", blocks, "residual: blocks in each of the four stages, 1 to 100.");
  }
};

// A network from images, [batch, 3, height, width], to features, [batch, channels, rows, columns].
class ImageNetworkImpl : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(const torch::Tensor& images) = 0;
};
TORCH_MODULE(ImageNetwork);

// Makes the network of `options`; an empty one for features. Throws c10::Error if the file `path`
// is invalid.
ImageNetwork MakeImageNetwork(const ImageNetworkOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_IMAGE_NETWORK_H_
