#include "seq2seq/model/feature_file.h"

#include <cstdint>
#include <cstring>
#include <regex>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include <torch/torch.h>

#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/model/weights.h"

namespace seq2seq {
namespace {

absl::Status Wrong(const std::string& path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
}

// The layout: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
absl::StatusOr<torch::Tensor> ReadNpy(const std::string& path) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  if (bytes.size() < 12 || bytes.compare(0, 6, "\x93NUMPY") != 0) {
    return Wrong(path, "is no .npy file");
  }
  const bool wide = bytes[6] > 1;  // Version 1 has a length of two bytes.
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 8, wide ? 4 : 2);
  const size_t begin = (wide ? 12 : 10) + static_cast<size_t>(length);
  if (begin > bytes.size()) return Wrong(path, "ends in its header");
  const std::string header = bytes.substr(wide ? 12 : 10, length);
  std::smatch type, shape;
  if (!std::regex_search(header, type, std::regex("'descr': *'[<=|](f[248])'"))) {
    return Wrong(path, "holds no little-endian floats");
  }
  if (!std::regex_search(header, std::regex("'fortran_order': *False")) ||
      !std::regex_search(header, shape, std::regex("'shape': *\\(([0-9, ]*)\\)"))) {
    return Wrong(path, "is not in C order");
  }
  std::vector<int64_t> sizes;
  int64_t count = 1;
  for (const absl::string_view part :
       absl::StrSplit(shape[1].str(), absl::ByAnyChar(", "), absl::SkipEmpty())) {
    if (!absl::SimpleAtoi(part, &sizes.emplace_back()) || sizes.back() < 1 ||
        sizes.back() > (int64_t{1} << 31) / count) {
      return Wrong(path, absl::StrCat("has the shape (", shape[1].str(), ")"));
    }
    count *= sizes.back();
  }
  const torch::ScalarType scalar = type[1] == "f2"   ? torch::kHalf
                                   : type[1] == "f4" ? torch::kFloat32
                                                     : torch::kFloat64;
  const torch::Tensor values = torch::empty(sizes, scalar);
  if (bytes.size() - begin < values.nbytes()) return Wrong(path, "ends in its values");
  std::memcpy(values.data_ptr(), bytes.data() + begin, values.nbytes());
  return values;
}

absl::StatusOr<torch::Tensor> ReadSafetensors(const std::string& path) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const TensorMap tensors, ReadTensors(path));
  if (tensors.size() != 1) {
    return Wrong(path, absl::StrCat("holds ", tensors.size(), " tensors instead of one"));
  }
  return tensors.begin()->second;
}

}  // namespace

absl::StatusOr<torch::Tensor> ReadFeatures(const std::string& path) {
  SEQ2SEQ_ASSIGN_OR_RETURN(torch::Tensor values, absl::EndsWith(path, ".safetensors")
                                                     ? ReadSafetensors(path)
                                                     : ReadNpy(path));
  if (values.dim() == 3) values = values.flatten(1).t();
  if (values.dim() != 2 || values.numel() == 0) {
    return Wrong(path, "is not of the shape [place, channels] or [channels, rows, columns]");
  }
  return values.to(torch::kFloat32).contiguous();
}

}  // namespace seq2seq
