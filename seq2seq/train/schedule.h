// What changes as training goes on, as pure functions of the update.
#ifndef SEQ2SEQ_TRAIN_SCHEDULE_H_
#define SEQ2SEQ_TRAIN_SCHEDULE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/model/teacher_forcing.h"
#include "seq2seq/train/duration.h"

namespace seq2seq {

enum class RateScheduleKind {
  kInverseSqrt,
  kPlateau,
  kConstant,
  kLinear,
  kCosine,
  kExponential,
  kStep,
};

inline std::vector<std::string> EnumTexts(RateScheduleKind) {
  return {"inverse_sqrt", "plateau", "constant", "linear", "cosine", "exponential", "step"};
}

struct RateScheduleOptions {
  RateScheduleKind kind = RateScheduleKind::kPlateau;
  double rate = 1e-3;
  Duration warmup = 400;
  Duration length = 20'000;
  double floor = 0;
  double decay = 0.5;
  Duration every = 5000;
  int64_t patience = 3;

  template <typename V>
  void Visit(V&& visit) {
    visit("kind", kind, "How the learning rate falls after the warm-up.");
    visit("rate", rate, "The highest learning rate. About 0.001 for adam, 0.1-1 for sgd.");
    visit("warmup", warmup,
          "How long it rises from zero. Raise it if the loss jumps at the start.");
    visit("length", length, "linear, cosine: when it has fallen to the floor.");
    visit("floor", floor, "linear, cosine: the share of the rate that stays.");
    visit("decay", decay,
          "plateau: the factor that the rate is multiplied by when validation stops improving; "
          "exponential, step: by what it falls in the time of `every`.");
    visit("every", every, "exponential, step: see decay.");
    visit("patience", patience, "plateau: validations without improvement before that.");
  }
};

// The learning rate of the update that ends at `now`. The time that has passed counts from the
// first update, warm-up included:
//
// inverse_sqrt  rate x sqrt(warmup / now) after the warm-up (Vaswani et al. 2017)
// plateau       rate x decay ^ (times that `scores`, the validations before this update, stopped
//               improving; higher is better)
// linear        falls in a line to floor x rate at length, and stays there
// cosine        the same along half a cosine (Loshchilov & Hutter 2017)
// exponential   rate x decay ^ (now / every)
// step          the same in steps
double LearningRate(const RateScheduleOptions& options, const TrainingTime& now,
                    absl::Span<const double> scores);

enum class ForcingScheduleKind { kConstant, kLinear, kExponential, kInverseSigmoid };

inline std::vector<std::string> EnumTexts(ForcingScheduleKind) {
  return {"constant", "linear", "exponential", "inverse_sigmoid"};
}

struct ForcingScheduleOptions {
  ForcingScheduleKind kind = ForcingScheduleKind::kConstant;
  double start = 1.0;
  double floor = 0.0;
  double decay = 0.0;
  CoinScope scope = CoinScope::kToken;
  OwnToken own = OwnToken::kArgmax;
  SamplingForm form = SamplingForm::kStepwise;

  template <typename V>
  void Visit(V&& visit) {
    visit("kind", kind,
          "How the probability of feeding the decoder the truth falls (Bengio et al. 2015).");
    visit("start", start,
          "The probability before the first update; of every update if constant. 1 feeds only the "
          "truth.");
    visit("floor", floor, "It never falls below this.");
    visit("decay", decay,
          "linear: what an update takes off, such as 0.00001; exponential: the factor of an "
          "update, such as 0.9999; inverse_sigmoid: updates, k, that set the pace of k / (k + "
          "exp(update / k)), such as 2000.");
    visit("scope", scope,
          "Whether each token, each sentence or each batch tosses a coin of its own.");
    visit("own", own,
          "What the decoder is fed instead: its best token, or one drawn from its distribution.");
    visit("form", form,
          "stepwise lets its tokens follow from those before; two_pass takes them from a first "
          "pass over the truth.");
  }
};

// What to feed at update `update`: the probability is start - decay x update, start x decay ^
// update, or start x k / (k + exp(update / k)), and at least floor.
TeacherForcing ForcingAt(const ForcingScheduleOptions& options, int64_t update);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_SCHEDULE_H_
