#include "seq2seq/data/image_module.h"

#include <exception>
#include <utility>

#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace seq2seq {
namespace {

// Everything that OpenCV throws, as text on one line.
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

// [height, width, 3], blue green red, over white where `image` is transparent.
cv::Mat ThreeChannels(const cv::Mat& image) {
  cv::Mat bytes = image;
  if (image.depth() == CV_16U) image.convertTo(bytes, CV_8U, 1.0 / 257);
  cv::Mat three;
  if (bytes.channels() == 1) {
    cv::cvtColor(bytes, three, cv::COLOR_GRAY2BGR);
  } else if (bytes.channels() == 4) {
    three.create(bytes.rows, bytes.cols, CV_8UC3);
    for (int row = 0; row < bytes.rows; ++row) {
      for (int column = 0; column < bytes.cols; ++column) {
        const auto& from = bytes.at<cv::Vec4b>(row, column);
        auto& to = three.at<cv::Vec3b>(row, column);
        for (int i = 0; i < 3; ++i) {
          to[i] = static_cast<uchar>((from[i] * from[3] + 255 * (255 - from[3]) + 127) / 255);
        }
      }
    }
  } else {
    three = bytes;
  }
  return three;
}

// OpenCV fills up what a truncated file lacks and says nothing, so look for the end.
bool IsTruncated(const std::string& bytes) {
  const auto lacks = [&](const char* end) { return bytes.rfind(end) == std::string::npos; };
  if (bytes.compare(0, 2, "\xff\xd8") == 0) return lacks("\xff\xd9");
  if (bytes.compare(0, 4, "\x89PNG") == 0) return lacks("IEND");
  return false;
}

std::string Decode(const std::string& bytes, Pixels& pixels) {
  return Guarded([&]() -> std::string {
    if (bytes.empty()) return "is empty";
    if (IsTruncated(bytes)) return "ends in the middle of an image";
    const cv::Mat file(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
    // IMREAD_COLOR drops transparency, and IMREAD_UNCHANGED does not turn photographs upright.
    const bool is_jpeg = bytes.compare(0, 2, "\xff\xd8") == 0;
    const cv::Mat image = cv::imdecode(file, is_jpeg ? cv::IMREAD_COLOR : cv::IMREAD_UNCHANGED);
    if (image.empty()) return "is no image that can be read";
    cv::Mat rgb;
    cv::cvtColor(ThreeChannels(image), rgb, cv::COLOR_BGR2RGB);
    pixels.height = rgb.rows;
    pixels.width = rgb.cols;
    pixels.rgb.assign(rgb.datastart, rgb.dataend);
    return "";
  });
}

cv::Mat Matrix(const Pixels& pixels) {
  return cv::Mat(pixels.height, pixels.width, CV_8UC3, const_cast<uint8_t*>(pixels.rgb.data()));
}

std::string Resize(const Pixels& from, Pixels& to) {
  return Guarded([&]() -> std::string {
    to.rgb.resize(static_cast<size_t>(to.height) * static_cast<size_t>(to.width) * 3);
    cv::Mat target = Matrix(to);
    const bool shrinks = to.height < from.height || to.width < from.width;
    cv::resize(Matrix(from), target, target.size(), 0, 0,
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
      if (output.dims != 4 || output.size[0] != image_shape[0]) {
        return "its output is not [batch, channels, rows, columns]";
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
  // One image at a time; LibTorch's threads are busy with others.
  cv::setNumThreads(1);
  return &library;
}
