// Groups of parameters that training treats alike.
#ifndef SEQ2SEQ_MODEL_PARAMETER_GROUP_H_
#define SEQ2SEQ_MODEL_PARAMETER_GROUP_H_

#include "seq2seq/model/parameters.h"

namespace seq2seq {

struct ParameterGroup {
  TensorMap parameters;
  // Whether they come from a pretrained network: they may stay frozen at first, are then trained at
  // a lower rate, and the loss may not depend on all of them.
  bool pretrained = false;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_PARAMETER_GROUP_H_
