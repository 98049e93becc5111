// Encoders: from sources to the encoder output that the decoder attends to.
#ifndef SEQ2SEQ_MODEL_ENCODER_H_
#define SEQ2SEQ_MODEL_ENCODER_H_

#include <cstdint>
#include <string>

#include <torch/nn/module.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/pimpl.h>

#include "seq2seq/data/batch.h"
#include "seq2seq/inference/model_options.h"
#include "seq2seq/model/encoded.h"

namespace seq2seq {

// Base class of encoders. The encoding of a source depends neither on padding nor on the other
// sources of the batch.
class EncoderImpl : public torch::nn::Module {
 public:
  virtual Encoded forward(const Batch& batch) = 0;

  // Size of the last dimension of Encoded::values.
  virtual int64_t output_size() const = 0;

  // Whether the kernels compute whole sequences, instead of one time step at a time.
  virtual bool is_fused() const = 0;

  // Applies seq2seq::Initialize to all but pretrained parameters.
  virtual void Initialize(const InitializationOptions& options);

  // Whether the parameter of that name in this module is pretrained (ParameterGroup).
  virtual bool IsPretrained(const std::string& parameter) const { return false; }
};
TORCH_MODULE(Encoder);

// The encoder of a model. Text shares `embedding`, or makes its own if that is empty. Throws if the
// file of an image network is invalid.
Encoder MakeEncoder(const ModelOptions& options, torch::nn::Embedding embedding);

// The name under which a model registers the encoder, with which its parameters begin in files.
std::string EncoderName(SourceKind source);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_ENCODER_H_
