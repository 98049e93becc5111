// Activation functions of feed-forward layers: ReLU, GELU and SiLU, plain and gated.
#ifndef SEQ2SEQ_KERNELS_ACTIVATION_H_
#define SEQ2SEQ_KERNELS_ACTIVATION_H_

#include <string>
#include <vector>

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// relu   max(0, x)
// gelu   x Phi(x), with Phi the standard normal distribution (Hendrycks & Gimpel 2016); exact, not
//        the approximation by tanh
// silu   x / (1 + e^-x), or Swish (Elfwing et al. 2017)
enum class ActivationKind { kRelu, kGelu, kSilu };

inline std::vector<std::string> EnumTexts(ActivationKind) { return {"relu", "gelu", "silu"}; }

// output = activation(values), with an absolute error of 1e-6 for values near 1. `output` may be
// `values`. All functions here use all threads.
void Activate(ActivationKind kind, ConstMatrix values, Matrix output);

// gradient = output_gradient activation'(values). `gradient` may be one of both.
void ActivateBackward(ActivationKind kind, ConstMatrix values, ConstMatrix output_gradient,
                      Matrix gradient);

// output = activation(gates) values, as in gated linear units (Shazeer 2020). Gates and values may
// be columns of one matrix.
void ActivateGated(ActivationKind kind, ConstMatrix gates, ConstMatrix values, Matrix output);

// The gradients of gates and values.
void ActivateGatedBackward(ActivationKind kind, ConstMatrix gates, ConstMatrix values,
                           ConstMatrix output_gradient, Matrix gate_gradient,
                           Matrix value_gradient);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_ACTIVATION_H_
