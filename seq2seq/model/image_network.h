// From an image to a grid of features.
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
  // Whether a TorchScript file, which is code, may run. No key of a file sets it.
  bool allow_scripts = false;
  int64_t width = 32;
  int64_t blocks = 2;

  // Whether its features stay the same, so that they need computing only once for each image.
  bool is_frozen() const { return kind != ImageNetworkKind::kResidual && !fine_tune; }

  template <typename V>
  void Visit(V&& visit) {
    visit(
        "kind", kind,
        "residual: a small one of our own, learnt with the decoder; torchscript, onnx: the one in "
        "`path`; features: none, `data.images` holds features in .npy or .safetensors files.");
    visit("path", path,
          "torchscript, onnx: the file, from images [batch, 3, height, width] to features [batch, "
          "channels, rows, columns]. TorchScript is code, which runs with --allow-scripts only.");
    visit("fine_tune", fine_tune, "torchscript: learn its parameters too; see train.fine_tune.");
    visit("width", width,
          "residual: channels of the first stage; each next one has twice as many.");
    visit("blocks", blocks, "residual: blocks in each of the four stages.");
  }
};

// A network that sees images, [batch, 3, height, width], and says what stands where, [batch,
// channels, rows, columns].
class ImageNetworkImpl : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(const torch::Tensor& images) = 0;
};
TORCH_MODULE(ImageNetwork);

// Makes the network of `options`; an empty one for features. Throws, as LibTorch does, what is
// wrong with the file `path`.
ImageNetwork MakeImageNetwork(const ImageNetworkOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_IMAGE_NETWORK_H_
