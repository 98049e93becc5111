// Encoders: from sources to the encoder output that the decoder attends to.
#ifndef SEQ2SEQ_MODEL_ENCODER_H_
#define SEQ2SEQ_MODEL_ENCODER_H_

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
  virtual Encoded forward(const Batch& batch) = 0;  // Of size EncodedSize(options).

  // How it computes recurrent layers in the current mode, for the log: "fused encoder", by the
  // kernels over whole sequences, or "encoder step by step"; empty if it has none.
  virtual std::string DescribePath() const { return ""; }

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
