// Where the parameters of a model are.
#ifndef SEQ2SEQ_MODEL_PARAMETER_TABLE_H_
#define SEQ2SEQ_MODEL_PARAMETER_TABLE_H_

#include <string>

#include "seq2seq/model/weights.h"

namespace seq2seq {

// The module that a parameter belongs to: "encoder.forward_0" of "encoder.forward_0.weight_ih".
std::string ModuleOf(const std::string& parameter);

// A line for each parameter with its shape and count, one for the sum of what each module has
// besides the modules in it, and one for all:
//
//   parameter                      shape           count
//   embedding.weight          [1000, 64]          64,000
//   = embedding                                   64,000
//   …
//   total                                        164,618
std::string ParameterTable(const TensorMap& parameters);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_PARAMETER_TABLE_H_
