#include "seq2seq/inference/norm_arrays.h"

namespace seq2seq {

void ListArrays(int64_t channels, NormArrays& norm, const ArrayLister& lister) {
  lister.Add("weight", norm.gain, {channels});
  lister.Add("bias", norm.bias, {channels});
}

}  // namespace seq2seq
