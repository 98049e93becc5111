// Teacher forcing and scheduled sampling.
#ifndef SEQ2SEQ_MODEL_TEACHER_FORCING_H_
#define SEQ2SEQ_MODEL_TEACHER_FORCING_H_

#include <cstdint>
#include <string>
#include <vector>

#include <torch/types.h>

namespace seq2seq {

// Unit of scheduled sampling: a random draw per token, sentence or batch.
enum class SamplingScope { kToken, kSentence, kBatch };

inline std::vector<std::string> EnumTexts(SamplingScope) { return {"token", "sentence", "batch"}; }

// How the predicted token is chosen: the most probable, or sampled from the distribution.
enum class PredictedToken { kArgmax, kSample };

inline std::vector<std::string> EnumTexts(PredictedToken) { return {"argmax", "sample"}; }

// Where predicted tokens come from: from the previous time step, given the tokens fed so far; or
// all at once, from a first pass with teacher forcing (Mihaylova & Martins 2019, Duckworth et al.
// 2019).
enum class SamplingForm { kStepwise, kTwoPass };

inline std::vector<std::string> EnumTexts(SamplingForm) { return {"stepwise", "two_pass"}; }

// Scheduled sampling (Bengio et al. 2015) at one update. Rate 1 is plain teacher forcing and costs
// nothing.
struct TeacherForcing {
  double rate = 1.0;  // Probability of feeding the reference.
  SamplingScope scope = SamplingScope::kToken;
  PredictedToken predicted = PredictedToken::kArgmax;
  SamplingForm form = SamplingForm::kStepwise;

  // Draws which tokens are fed from the reference: [batch, target], bool, true there. Uses the
  // default generator.
  torch::Tensor Draw(int64_t batch, int64_t target, torch::Device device) const;

  // The predicted tokens, given the logits of the previous time step: [row, vocab] -> [row].
  // Carries no gradient.
  torch::Tensor Choose(const torch::Tensor& logits) const;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_TEACHER_FORCING_H_
