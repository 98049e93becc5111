// Symmetrisation of word alignments of both directions (Och & Ney 2003, Koehn et al. 2003).
#ifndef SEQ2SEQ_ALIGN_SYMMETRIZATION_H_
#define SEQ2SEQ_ALIGN_SYMMETRIZATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/align/aligned_words.h"

namespace seq2seq {

// grow_diag_final_and  the intersection, grown by neighbouring links of the union that reach a word
//                      without one, then by links between two such words
// intersection         links of both directions: few, and reliable
// union                links of either direction
// forward              that in which the source generates the target: one link for a target word
// reverse              that in which the target generates the source
enum class Symmetrization { kGrowDiagFinalAnd, kIntersection, kUnion, kForward, kReverse };

inline std::vector<std::string> EnumTexts(Symmetrization) {
  return {"grow_diag_final_and", "intersection", "union", "forward", "reverse"};
}

// The links of `forward`, [target word], positions of source words, and `reverse`, [source word],
// positions of target words; -1 is none. In the order of target words, then source words. Time and
// memory are in proportion to the product of the lengths.
std::vector<AlignedWords> Symmetrize(absl::Span<const int32_t> forward,
                                     absl::Span<const int32_t> reverse, Symmetrization method);

}  // namespace seq2seq

#endif  // SEQ2SEQ_ALIGN_SYMMETRIZATION_H_
