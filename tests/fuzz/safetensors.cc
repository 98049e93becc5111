// A safetensors file.
#include "seq2seq/weights/safetensors.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto tensors = seq2seq::ReadTensors(seq2seq::InputFile(data, size));
  if (!tensors.ok()) return 0;
  for (const auto& [name, tensor] : *tensors) tensor.clone();  // Reads all of it.
  return 0;
}
