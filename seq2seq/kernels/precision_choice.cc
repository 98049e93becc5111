#include "seq2seq/kernels/precision_choice.h"

namespace seq2seq {

bool HasPrecision(Precision precision, bool on_cpu) {
  if (precision == Precision::kFp32) return true;
  if (!on_cpu) return precision == Precision::kBf16;
#if SEQ2SEQ_KERNELS
  return SupportsProducts(precision);
#else
  return false;
#endif
}

Precision Resolve(PrecisionChoice choice, bool on_cpu) {
  switch (choice) {
    case PrecisionChoice::kAuto:
      return on_cpu && HasPrecision(Precision::kBf16) ? Precision::kBf16 : Precision::kFp32;
    case PrecisionChoice::kFp32:
      return Precision::kFp32;
    case PrecisionChoice::kBf16:
      return Precision::kBf16;
    case PrecisionChoice::kInt8:
      return Precision::kInt8;
  }
  return Precision::kFp32;  // Not one of the choices.
}

PrecisionChoice ChoiceOf(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return PrecisionChoice::kFp32;
    case Precision::kBf16:
      return PrecisionChoice::kBf16;
    case Precision::kInt8:
      return PrecisionChoice::kInt8;
  }
  return PrecisionChoice::kAuto;  // Not one of the precisions.
}

}  // namespace seq2seq
