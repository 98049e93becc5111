// Table of parameters: name, shape and count, with sums per module.
#ifndef SEQ2SEQ_WEIGHTS_PARAMETER_TABLE_H_
#define SEQ2SEQ_WEIGHTS_PARAMETER_TABLE_H_

#include <cstdint>
#include <string>

#include "seq2seq/weights/array.h"

namespace seq2seq {

// A number with commas: "12,345,678".
std::string Grouped(int64_t number);

// The module that a parameter belongs to: "encoder.forward_0" of "encoder.forward_0.weight_ih".
std::string ModuleOf(const std::string& parameter);

// A line per parameter with its shape and count, one per module with the sum of the parameters that
// are not in its submodules, and one with the total:
//
//   parameter                      shape           count
//   embedding.weight          [1000, 64]          64,000
//   = embedding                                   64,000
//   …
//   total                                        164,618
std::string ParameterTable(const ArrayMap& parameters);

}  // namespace seq2seq

#endif  // SEQ2SEQ_WEIGHTS_PARAMETER_TABLE_H_
