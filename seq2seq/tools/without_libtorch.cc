// The executable seq2seq: what decodes.
#include "seq2seq/tools/libtorch.h"

namespace seq2seq {

const LibTorch* const kLibTorch = nullptr;

const double kProgramBytes = 30e6;

}  // namespace seq2seq
