// Encoder of models without a source, which are language models.
#ifndef SEQ2SEQ_MODEL_NO_ENCODER_H_
#define SEQ2SEQ_MODEL_NO_ENCODER_H_

#include "seq2seq/model/encoder.h"

namespace seq2seq {

// Gives one position of no values per sentence. Has no parameters.
class NoEncoderImpl : public EncoderImpl {
 public:
  NoEncoderImpl();

  Encoded forward(const Batch& batch) override;

 private:
  torch::Tensor position_;  // [1, 1, 0]; a buffer, so that it has the type and device of the model.
};
TORCH_MODULE(NoEncoder);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_NO_ENCODER_H_
