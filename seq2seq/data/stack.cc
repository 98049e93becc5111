#include "seq2seq/data/stack.h"

#include <cstring>
#include <vector>

#include <torch/torch.h>

namespace seq2seq {

torch::Tensor Stack(absl::Span<const Array> arrays) {
  TORCH_CHECK(!arrays.empty(), "no arrays to stack");
  std::vector<int64_t> shape = arrays[0].shape;
  shape.insert(shape.begin(), static_cast<int64_t>(arrays.size()));
  const torch::Tensor stacked = torch::empty(shape, torch::kFloat32);
  auto* row = stacked.data_ptr<float>();
  for (const Array& array : arrays) {
    TORCH_CHECK(array.type == ArrayType::kFloat32 && array.shape == arrays[0].shape,
                "arrays to stack differ: ", ShapeText(arrays[0].shape), " and ",
                ShapeText(array.shape));
    std::memcpy(row, array.data.get(), array.bytes());
    row += array.size();
  }
  return stacked;
}

}  // namespace seq2seq
