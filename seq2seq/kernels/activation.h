// Activation functions of feed-forward networks.
#ifndef SEQ2SEQ_KERNELS_ACTIVATION_H_
#define SEQ2SEQ_KERNELS_ACTIVATION_H_

#include <string>
#include <vector>

namespace seq2seq {

enum class ActivationKind { kRelu, kGelu, kSilu };

inline std::vector<std::string> EnumTexts(ActivationKind) { return {"relu", "gelu", "silu"}; }

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_ACTIVATION_H_
