// A network of images in ONNX.
#ifndef TESTS_TESTING_ONNX_FILE_H_
#define TESTS_TESTING_ONNX_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/testing/temporary_folder.h"

namespace seq2seq {

// Protocol buffers by hand: a number, and bytes.
inline std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value /= 128) bytes += static_cast<char>(value % 128 + 128);
  return bytes + static_cast<char>(value);
}
inline std::string Number(int field, uint64_t value) {
  return Varint(static_cast<uint64_t>(field) * 8) + Varint(value);
}
inline std::string Bytes(int field, const std::string& bytes) {
  return Varint(static_cast<uint64_t>(field) * 8 + 2) + Varint(bytes.size()) + bytes;
}

// An ONNX network of one node: the means of blocks of eight pixels of images of `size` x `size`.
inline std::string WriteOnnx(const TemporaryFolder& folder, uint64_t size) {
  const auto ints = [](const std::string& name, int a, int b) {
    return Bytes(5, Bytes(1, name) + Number(8, static_cast<uint64_t>(a)) +
                        Number(8, static_cast<uint64_t>(b)) + Number(20, 7));
  };
  const auto value = [](const std::string& name, const std::vector<uint64_t>& shape) {
    std::string sizes;
    for (const uint64_t size : shape) sizes += Bytes(1, Number(1, size));
    return Bytes(1, name) + Bytes(2, Bytes(1, Number(1, 1) + Bytes(2, sizes)));
  };
  const std::string node = Bytes(1, "images") + Bytes(2, "features") + Bytes(3, "pool") +
                           Bytes(4, "AveragePool") + ints("kernel_shape", 8, 8) +
                           ints("strides", 8, 8);
  const std::string graph = Bytes(1, node) + Bytes(2, "graph") +
                            Bytes(11, value("images", {1, 3, size, size})) +
                            Bytes(12, value("features", {1, 3, size / 8, size / 8}));
  return folder.Write("network.onnx",
                      Number(1, 7) + Bytes(7, graph) + Bytes(8, Bytes(1, "") + Number(2, 9)));
}

}  // namespace seq2seq

#endif  // TESTS_TESTING_ONNX_FILE_H_
