// OpenCV, in a library of its own that is opened at run time.
//
// Its readers of image files bring some 140 libraries along, a fifth of a second and 40 MB that who
// translates text should not pay for. Nothing but std crosses this interface.
#ifndef SEQ2SEQ_DATA_IMAGE_MODULE_H_
#define SEQ2SEQ_DATA_IMAGE_MODULE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace seq2seq {

// Row after row; red, green and blue of each pixel, 0 to 255.
struct Pixels {
  int height = 0;
  int width = 0;
  std::vector<uint8_t> rgb;
};

// A part of an image, within it.
struct Square {
  int64_t top = 0;
  int64_t left = 0;
  int64_t side = 0;
};

// A network in an ONNX file. Not thread-safe.
class OnnxModel {
 public:
  virtual ~OnnxModel() = default;

  // From images, [batch, 3, height, width], to `features`, [batch, channels, rows, columns], of
  // `shape`. Returns what is wrong, or nothing.
  virtual std::string Run(const float* images, const std::array<int, 4>& image_shape,
                          std::vector<float>& features, std::array<int, 4>& shape) = 0;
};

// What the module offers. Functions return what is wrong, or nothing.
struct ImageLibrary {
  // Decodes the contents of a file whose header ReadImageHeader has looked at, turned upright as
  // its metadata say. Transparent parts become white.
  std::string (*decode)(const char* contents, size_t size, Pixels& pixels);
  // Resizes a part of `from` to the height and width of `to`.
  std::string (*resize)(const Pixels& from, const Square& part, Pixels& to);
  std::string (*load_onnx)(const std::string& path, std::unique_ptr<OnnxModel>& model);
};

}  // namespace seq2seq

// The module's one symbol.
extern "C" const seq2seq::ImageLibrary* seq2seq_images();

#endif  // SEQ2SEQ_DATA_IMAGE_MODULE_H_
