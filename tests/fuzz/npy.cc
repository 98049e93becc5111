// A .npy file of features.
#include "seq2seq/image/feature_file.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto features = seq2seq::ReadFeatures(seq2seq::InputFile(data, size));
  if (features.ok()) seq2seq::Require(features->shape.size() == 2, "not [position, channels]");
  return 0;
}
