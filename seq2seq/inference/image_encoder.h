// Image encoder for decoding, on the kernels.
#ifndef SEQ2SEQ_INFERENCE_IMAGE_ENCODER_H_
#define SEQ2SEQ_INFERENCE_IMAGE_ENCODER_H_

#include <memory>
#include <vector>

#include "seq2seq/inference/encoder.h"
#include "seq2seq/inference/image_network.h"
#include "seq2seq/inference/model_arrays.h"
#include "seq2seq/kernels/recurrent.h"

namespace seq2seq {

// Encodes the positions of images, in reading order. Agrees with ImageEncoderImpl in eval mode.
class ImageInferenceEncoder : public InferenceEncoder {
 public:
  // The network must not be torchscript. Packs the weights, which are then removed from `arrays`;
  // shares the others. Throws std::runtime_error, naming the file, if the network cannot be loaded.
  ImageInferenceEncoder(const ImageEncoderOptions& options, ImageEncoderArrays& arrays,
                        Precision precision);

  // Throws std::invalid_argument, naming the file, if features do not fit the model, and
  // std::runtime_error if the network fails. Images may differ in size.
  EncoderOutput Encode(absl::Span<const SourceInput* const> sources) const override;
  double packed_bytes() const override;

 private:
  // The projected features of a source, before recurrence: [position, hidden].
  Buffer EncodeOne(const SourceInput& source) const;
  // tanh(W norm(features) + b), [position, hidden].
  Buffer Project(ConstMatrix features) const;
  // Replaces the values by the output of the bidirectional layer over them.
  void RunBothWays(EncoderOutput& output) const;

  const std::unique_ptr<InferenceImageNetwork> network_;  // Null where sources are features.
  PackedMatrix projection_;                               // [channels, hidden]
  std::vector<PackedCell> cells_;                         // Forward and backward, or empty.
  const ImageEncoderArrays shared_;                       // Norm and biases.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_IMAGE_ENCODER_H_
