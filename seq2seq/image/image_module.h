// Interface of the image module: OpenCV in a separate library, opened at run time.
//
// OpenCV's image readers load some 140 libraries, a cost of 0.2 s and 40 MB that text models should
// not pay. Only std types cross this interface.
#ifndef SEQ2SEQ_IMAGE_IMAGE_MODULE_H_
#define SEQ2SEQ_IMAGE_IMAGE_MODULE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace seq2seq {

// An image, row by row; red, green and blue of each pixel, 0 to 255.
struct Pixels {
  int height = 0;
  int width = 0;
  std::vector<uint8_t> rgb;
};

// A square within an image.
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
  // `shape`. Returns an error message, empty on success.
  virtual std::string Run(const float* images, const std::array<int, 4>& image_shape,
                          std::vector<float>& features, std::array<int, 4>& shape) = 0;
};

// The functions of the module. They return an error message, empty on success.
struct ImageLibrary {
  // Decodes the contents of a file that ReadImageHeader has accepted, rotated according to its
  // metadata. Transparent parts become white.
  std::string (*decode)(const char* contents, size_t size, Pixels& pixels);
  // Resizes a part of `from` to the height and width of `to`.
  std::string (*resize)(const Pixels& from, const Square& part, Pixels& to);
  std::string (*load_onnx)(const std::string& path, std::unique_ptr<OnnxModel>& model);
};

}  // namespace seq2seq

// The module's one symbol.
extern "C" const seq2seq::ImageLibrary* seq2seq_images();

#endif  // SEQ2SEQ_IMAGE_IMAGE_MODULE_H_
