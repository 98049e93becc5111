// Kinds of attention, and what distinguishes them outside their formulas.
#ifndef SEQ2SEQ_INFERENCE_ATTENTION_KIND_H_
#define SEQ2SEQ_INFERENCE_ATTENTION_KIND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/inference/named_array.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {

// The formulas are in model/attention.h.
enum class AttentionKind {
  kGeneral,
  kDot,
  kMlp,
  kScaledDot,
  kMultiHead,
  kCoverage,
  kLocation,
  kNone,
};

inline std::vector<std::string> EnumTexts(AttentionKind) {
  return {"general", "dot", "mlp", "scaled_dot", "multi_head", "coverage", "location", "none"};
}

// Whether the kernels train it.
bool HasTrainingKernel(AttentionKind kind);

// Whether scores depend on the attention weights of earlier time steps.
bool HasPast(AttentionKind kind);

// The factor on the encoder output, of size `memory`, that makes it the keys; 1 where keys are
// projected, or the encoder output itself.
double KeyScale(AttentionKind kind, int64_t memory);

// Size of the context, from encoder output of size `memory` and queries of size `hidden`.
int64_t ContextSize(AttentionKind kind, int64_t memory, int64_t hidden);

// Numbers per source position and query that LibTorch's operations hold at once to compute scores.
int64_t ScoreWorkspace(AttentionKind kind, int64_t hidden);

// Number and width of the filters of location-aware attention (Chorowski et al. 2015), for text,
// whose sources are shorter than speech.
inline constexpr int64_t kLocationFilters = 16;
inline constexpr int64_t kLocationFilterWidth = 7;

// Its parameters, laid out as in torch.nn; those that a kind does not have are undefined.
struct AttentionArrays {
  Array projection;                           // general
  Array key_projection, key_projection_bias;  // mlp, coverage, location, multi_head
  Array query_projection;                     // mlp, coverage, location, multi_head
  Array energy;                               // mlp, coverage, location
  Array coverage;                             // coverage
  Array filters, location;                    // location
  Array value_projection;                     // multi_head
};

// Lists the parameters that `kind` has.
void ListArrays(AttentionKind kind, int64_t memory, int64_t hidden, AttentionArrays& arrays,
                const ArrayLister& lister);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_ATTENTION_KIND_H_
