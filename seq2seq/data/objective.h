// Training objectives: what a model learns from its training data.
#ifndef SEQ2SEQ_DATA_OBJECTIVE_H_
#define SEQ2SEQ_DATA_OBJECTIVE_H_

#include <string>
#include <vector>

namespace seq2seq {

// translation    the target of each source, whatever the kind of source
// masked         subwords of a text that are masked in it: a masked language model (Devlin et al.
//                2019), which pretrains an encoder
// denoising      a text from its corrupted form (Lewis et al. 2020), which pretrains a whole model
// risk           outputs of its own, by their expected metric (Shen et al. 2016)
// self_critical  the same, by how much better they are than its greedy output (Rennie et al. 2017)
enum class Objective { kTranslation, kMasked, kDenoising, kRisk, kSelfCritical };

inline std::vector<std::string> EnumTexts(Objective) {
  return {"translation", "masked", "denoising", "risk", "self_critical"};
}

// Whether it learns from plain text.
inline bool IsPretraining(Objective objective) {
  return objective == Objective::kMasked || objective == Objective::kDenoising;
}

// Whether it learns from outputs of the model, which a metric rewards.
inline bool LearnsFromOutputs(Objective objective) {
  return objective == Objective::kRisk || objective == Objective::kSelfCritical;
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_OBJECTIVE_H_
