#include "seq2seq/model/no_encoder.h"

#include <torch/torch.h>

namespace seq2seq {

NoEncoderImpl::NoEncoderImpl() : position_(register_buffer("position", torch::zeros({1, 1, 0}))) {}

Encoded NoEncoderImpl::forward(const Batch& batch) {
  const int64_t size = batch.size();
  return {position_.expand({size, 1, 0}), torch::ones({size}, torch::kInt64),
          position_.expand({size, 1, 0}).squeeze(1)};
}

}  // namespace seq2seq
