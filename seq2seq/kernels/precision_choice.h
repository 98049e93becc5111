// Choice of the precision of matrix products.
#ifndef SEQ2SEQ_KERNELS_PRECISION_CHOICE_H_
#define SEQ2SEQ_KERNELS_PRECISION_CHOICE_H_

#include <string>
#include <vector>

#include "seq2seq/kernels/product.h"

namespace seq2seq {

// The precision of matrix products to use. auto is bf16 on a CPU that supports it, else fp32, also
// on CUDA.
enum class PrecisionChoice { kAuto, kFp32, kBf16, kInt8 };

inline std::vector<std::string> EnumTexts(PrecisionChoice) {
  return {"auto", "fp32", "bf16", "int8"};
}

// Whether this machine supports products in `precision`, on the CPU or on a CUDA device.
bool HasPrecision(Precision precision, bool on_cpu = true);

// The precision of `choice` on this machine. Resolves auto; a precision chosen by name is not
// checked.
Precision Resolve(PrecisionChoice choice, bool on_cpu = true);

// The choice of `precision` by name.
PrecisionChoice ChoiceOf(Precision precision);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_PRECISION_CHOICE_H_
