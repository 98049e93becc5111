// Schedules of learning rate and scheduled sampling, as pure functions of the update.
#ifndef SEQ2SEQ_TRAIN_SCHEDULE_H_
#define SEQ2SEQ_TRAIN_SCHEDULE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
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
  double learning_rate = 1e-3;
  Duration warmup = 400;
  Duration length = 20'000;
  double floor = 0;
  double decay = 0.5;
  Duration decay_every = 5000;
  int64_t patience = 3;

  template <typename V>
  void Visit(V&& visit) {
    visit("kind", kind, "How the learning rate decays after the warm-up.");
    visit("learning_rate", learning_rate,
          "The highest learning rate, more than 0. About 0.001 for adam, 0.1 to 1 for sgd.",
          /*former=*/"rate");
    visit("warmup", warmup,
          "Duration of the linear warm-up from zero, in updates (400u) or epochs (1e). Raise it if "
          "the loss jumps at the start.");
    visit("length", length,
          "linear, cosine: when the learning rate reaches the floor, in updates or epochs.");
    visit("floor", floor, "linear, cosine: the final share of the learning rate, 0 to 1.");
    visit("decay", decay,
          "plateau: factor on the learning rate when validation stops improving; exponential, "
          "step: factor per decay_every. More than 0 and at most 1.");
    visit("decay_every", decay_every,
          "exponential, step: the time in which the learning rate decays by the factor `decay`, in "
          "updates or epochs.",
          /*former=*/"every");
    visit("patience", patience,
          "plateau: validations without improvement before each decay, 0 or more.");
  }
};

// InvalidArgument, naming the key of train.schedule and its value, if an option is out of range.
absl::Status Validate(const RateScheduleOptions& options);

// The learning rate of the update that ends at `now`. Time counts from the first update, warm-up
// included:
//
// inverse_sqrt  learning_rate x sqrt(warmup / now) after the warm-up (Vaswani et al. 2017)
// plateau       learning_rate x decay ^ (times that `scores`, the validations before this update,
//               stopped improving; higher is better)
// linear        linearly down to floor x learning_rate at `length`, then constant
// cosine        the same along half a cosine (Loshchilov & Hutter 2017)
// exponential   learning_rate x decay ^ (now / decay_every)
// step          learning_rate x decay ^ floor(now / decay_every)
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
  SamplingScope scope = SamplingScope::kToken;
  PredictedToken predicted = PredictedToken::kArgmax;
  SamplingForm form = SamplingForm::kStepwise;

  template <typename V>
  void Visit(V&& visit) {
    visit("kind", kind,
          "Decay of the probability of teacher forcing (scheduled sampling, Bengio et al. 2015).");
    visit("start", start,
          "Probability of teacher forcing before the first update, 0 to 1; of every update if "
          "constant. 1 feeds the reference only.");
    visit("floor", floor, "The lowest probability of teacher forcing, 0 to 1.");
    visit("decay", decay,
          "linear: decrease per update, such as 0.00001; exponential: factor per update, such as "
          "0.9999; inverse_sigmoid: k in k / (k + exp(update / k)), in updates, such as 2000.");
    visit("scope", scope,
          "Whether reference or predicted token is chosen for each token, each sentence or each "
          "batch.");
    visit("predicted", predicted,
          "The predicted token that is fed instead of the reference: the most probable one "
          "(argmax), or one sampled from the distribution.",
          /*former=*/"own");
    visit("form", form,
          "stepwise: a predicted token depends on earlier predicted tokens; two_pass: all come "
          "from a first pass with the reference.");
  }
};

// InvalidArgument, naming the key of train.teacher_forcing and its value, if an option is out of
// range.
absl::Status Validate(const ForcingScheduleOptions& options);

// Teacher forcing at update `update`: the probability is start - decay x update, start x decay ^
// update, or start x k / (k + exp(update / k)), k being decay, and at least floor.
TeacherForcing ForcingAt(const ForcingScheduleOptions& options, int64_t update);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_SCHEDULE_H_
