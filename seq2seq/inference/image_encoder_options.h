// Options of image encoders and their networks.
#ifndef SEQ2SEQ_INFERENCE_IMAGE_ENCODER_OPTIONS_H_
#define SEQ2SEQ_INFERENCE_IMAGE_ENCODER_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "seq2seq/image/image.h"

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

struct ImageEncoderOptions {
  ImageOptions input;
  ImageNetworkOptions network;
  int64_t channels = 0;
  int64_t hidden = 512;
  bool recurrent = false;
  double dropout = 0.3;

  template <typename V>
  void Visit(V&& visit) {
    visit("input", input);
    visit("network", network);
    visit("channels", channels,
          "Channels of the features; 0 uses as many as the network or the feature files have.");
    visit("hidden", hidden,
          "Size of the encoder output at each position of the image; with recurrent, an even "
          "number.");
    visit("recurrent", recurrent,
          "Adds a bidirectional LSTM over the positions in reading order: for features that do not "
          "encode their position.");
    visit("dropout", dropout, "Dropout rate on the projected features.");
  }
};

// InvalidArgument, naming the key and its value, if `options` are invalid.
absl::Status Validate(const ImageEncoderOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_IMAGE_ENCODER_OPTIONS_H_
