#include "seq2seq/image/image_module.h"

#include <exception>
#include <utility>

#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace seq2seq {
namespace {

// Runs `function`; OpenCV's exceptions become one-line error messages.
template <typename Function>
std::string Guarded(const Function& function) {
  try {
    return function();
  } catch (const cv::Exception& error) {
    return error.err;
  } catch (const std::exception& error) {
    return error.what();
  }
}

// Converts to 8-bit RGB, over white where `image` is transparent. Works in place if possible:
// images may be large.
cv::Mat ToRgb(cv::Mat image) {
  if (image.depth() == CV_16U) image.convertTo(image, CV_8U, 1.0 / 257);
  if (image.channels() != 4) {
    cv::cvtColor(image, image, image.channels() == 1 ? cv::COLOR_GRAY2RGB : cv::COLOR_BGR2RGB);
    return image;
  }
  cv::Mat rgb(image.rows, image.cols, CV_8UC3);
  for (int row = 0; row < image.rows; ++row) {
    for (int column = 0; column < image.cols; ++column) {
      const auto& from = image.at<cv::Vec4b>(row, column);
      auto& to = rgb.at<cv::Vec3b>(row, column);
      for (int i = 0; i < 3; ++i) {
        to[2 - i] = static_cast<uchar>((from[i] * from[3] + 255 * (255 - from[3]) + 127) / 255);
      }
    }
  }
  return rgb;
}

std::string Decode(const char* contents, size_t size, Pixels& pixels) {
  return Guarded([&]() -> std::string {
    const cv::Mat file(1, static_cast<int>(size), CV_8U, const_cast<char*>(contents));
    // IMREAD_COLOR drops transparency, and IMREAD_UNCHANGED ignores the orientation of photographs.
    const bool is_jpeg = contents[0] == '\xff';
    cv::Mat image = cv::imdecode(file, is_jpeg ? cv::IMREAD_COLOR : cv::IMREAD_UNCHANGED);
    if (image.empty()) return "is not a readable image";
    const int channels = image.channels();
    if (image.depth() > CV_16U || image.depth() == CV_8S ||
        (channels != 1 && channels != 3 && channels != 4)) {
      return "is not an image with 1, 3 or 4 channels of integer samples of 8 or 16 bits";
    }
    const cv::Mat rgb = ToRgb(std::move(image));
    pixels.height = rgb.rows;
    pixels.width = rgb.cols;
    pixels.rgb.assign(rgb.datastart, rgb.dataend);
    return "";
  });
}

cv::Mat Matrix(const Pixels& pixels) {
  return cv::Mat(pixels.height, pixels.width, CV_8UC3, const_cast<uint8_t*>(pixels.rgb.data()));
}

std::string Resize(const Pixels& from, const Square& part, Pixels& to) {
  return Guarded([&]() -> std::string {
    to.rgb.resize(static_cast<size_t>(to.height) * static_cast<size_t>(to.width) * 3);
    cv::Mat target = Matrix(to);
    const cv::Rect place(static_cast<int>(part.left), static_cast<int>(part.top),
                         static_cast<int>(part.side), static_cast<int>(part.side));
    const bool shrinks = to.height < part.side || to.width < part.side;
    cv::resize(Matrix(from)(place), target, target.size(), 0, 0,
               shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
    return "";
  });
}

class DnnModel : public OnnxModel {
 public:
  explicit DnnModel(cv::dnn::Net net) : net_(std::move(net)) {}

  std::string Run(const float* images, const std::array<int, 4>& image_shape,
                  std::vector<float>& features, std::array<int, 4>& shape) override {
    return Guarded([&]() -> std::string {
      net_.setInput(cv::Mat(4, image_shape.data(), CV_32F, const_cast<float*>(images)));
      const cv::Mat output = net_.forward();
      if (output.dims != 4 || output.size[0] != image_shape[0] || output.type() != CV_32F ||
          !output.isContinuous()) {
        return "its output is not [batch, channels, rows, columns] in fp32";
      }
      for (int i = 0; i < 4; ++i) shape[static_cast<size_t>(i)] = output.size[i];
      features.assign(output.ptr<float>(), output.ptr<float>() + output.total());
      return "";
    });
  }

 private:
  cv::dnn::Net net_;
};

std::string LoadOnnx(const std::string& path, std::unique_ptr<OnnxModel>& model) {
  return Guarded([&]() -> std::string {
    model = std::make_unique<DnnModel>(cv::dnn::readNetFromONNX(path));
    return "";
  });
}

}  // namespace
}  // namespace seq2seq

extern "C" const seq2seq::ImageLibrary* seq2seq_images() {
  static const seq2seq::ImageLibrary library = {seq2seq::Decode, seq2seq::Resize,
                                                seq2seq::LoadOnnx};
  // OpenCV runs single-threaded: the caller's threads process other images.
  cv::setNumThreads(1);
  return &library;
}
