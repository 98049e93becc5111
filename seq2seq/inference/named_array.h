// Names, storage and shapes of parameters: the rows of the table of a model's arrays.
#ifndef SEQ2SEQ_INFERENCE_NAMED_ARRAY_H_
#define SEQ2SEQ_INFERENCE_NAMED_ARRAY_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "seq2seq/weights/array.h"

namespace seq2seq {

// A parameter of a model: its name in files, where it is stored, and its shape.
struct NamedArray {
  std::string name;
  Array* array;
  std::vector<int64_t> shape;
};

// Appends the parameters of a module to a table.
class ArrayLister {
 public:
  // Names begin with `prefix`.
  ArrayLister(std::string prefix, std::vector<NamedArray>& table)
      : prefix_(std::move(prefix)), table_(table) {}

  void Add(const char* name, Array& array, std::vector<int64_t> shape) const {
    table_.push_back({absl::StrCat(prefix_, name), &array, std::move(shape)});
  }

  // Of a submodule.
  ArrayLister In(const std::string& module) const {
    return {absl::StrCat(prefix_, module, "."), table_};
  }

 private:
  std::string prefix_;
  std::vector<NamedArray>& table_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_NAMED_ARRAY_H_
