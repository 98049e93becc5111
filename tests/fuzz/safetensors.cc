// A safetensors file, and the weights in it.
#include "seq2seq/weights/safetensors.h"

#include <cstdint>
#include <numeric>

#include "seq2seq/weights/quantized_weights.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto arrays = seq2seq::ReadArrays(seq2seq::InputFile(data, size));
  if (!arrays.ok()) return 0;
  for (const auto& [name, array] : *arrays) {  // Reads all of it.
    const auto* bytes = array.values<uint8_t>();
    [[maybe_unused]] const volatile auto sum =
        std::accumulate(bytes, bytes + array.bytes(), uint64_t{0});
  }
  seq2seq::DequantizeWeights(*arrays, "input").status().IgnoreError();
  return 0;
}
