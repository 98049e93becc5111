#include "seq2seq/train/training_config.h"

namespace seq2seq {

TrainingConfig DefaultConfig(Objective objective, EncoderKind encoder, DecoderKind decoder) {
  TrainingConfig config;
  if (objective == Objective::kMasked) decoder = DecoderKind::kHead;
  const bool transformer_encoder = encoder == EncoderKind::kTransformer;
  const bool transformer_decoder =
      decoder == DecoderKind::kTransformer || decoder == DecoderKind::kSsru;
  config.train.objective = objective;
  config.model.encoder.kind = encoder;
  config.model.decoder.kind = decoder;
  if (IsPretraining(objective)) config.train.metric = {"loss"};
  if (transformer_encoder) {
    config.model.encoder.layers = 4;
    config.model.encoder.dropout = 0.1;
  }
  if (transformer_decoder) {
    config.model.decoder.hidden = 256;
    config.model.decoder.layers = decoder == DecoderKind::kSsru ? 2 : 4;
    config.model.decoder.dropout = 0.1;
  }
  if (decoder == DecoderKind::kHead) {
    config.model.decoder.hidden = 256;
    config.model.decoder.tied_embeddings = config.model.shared_embeddings = true;
  }
  if (transformer_encoder || transformer_decoder) {
    config.train.schedule.kind = RateScheduleKind::kInverseSqrt;
    config.train.schedule.warmup = 2000;
    config.train.optimizer.beta2 = 0.98;
  }
  if (LearnsFromOutputs(objective)) {
    config.train.schedule = RateScheduleOptions();
    config.train.schedule.learning_rate = 1e-4;
  }
  return config;
}

}  // namespace seq2seq
