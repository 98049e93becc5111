// What the decoder is fed in training: the truth, or now and then its own words.
#ifndef SEQ2SEQ_MODEL_TEACHER_FORCING_H_
#define SEQ2SEQ_MODEL_TEACHER_FORCING_H_

#include <cstdint>
#include <string>
#include <vector>

#include <torch/types.h>

namespace seq2seq {

// How far one coin reaches.
enum class CoinScope { kToken, kSentence, kBatch };

inline std::vector<std::string> EnumTexts(CoinScope) { return {"token", "sentence", "batch"}; }

// What takes the place of the truth.
enum class OwnToken { kArgmax, kSample };

inline std::vector<std::string> EnumTexts(OwnToken) { return {"argmax", "sample"}; }

// Where the tokens of the decoder's own come from: step by step, from what it was fed before, its
// own tokens included; or all at once, from a first pass that is fed the truth (Mihaylova & Martins
// 2019, Duckworth et al. 2019).
enum class SamplingForm { kStepwise, kTwoPass };

inline std::vector<std::string> EnumTexts(SamplingForm) { return {"stepwise", "two_pass"}; }

// Scheduled sampling (Bengio et al. 2015) at one update. At rate 1 it is plain teacher forcing and
// costs nothing.
struct TeacherForcing {
  double rate = 1.0;  // Probability of feeding the truth.
  CoinScope scope = CoinScope::kToken;
  OwnToken own = OwnToken::kArgmax;
  SamplingForm form = SamplingForm::kStepwise;

  // Tosses the coins: [batch, target], bool, true where the truth is fed. Draws from the default
  // generator.
  torch::Tensor Draw(int64_t batch, int64_t target, torch::Device device) const;

  // The tokens fed instead, given the scores of the step before: [row, vocab] -> [row]. Carries no
  // gradient.
  torch::Tensor Choose(const torch::Tensor& logits) const;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_TEACHER_FORCING_H_
