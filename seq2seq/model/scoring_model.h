// Scoring models of LibTorch modules: in their inference form where they have one.
#ifndef SEQ2SEQ_MODEL_SCORING_MODEL_H_
#define SEQ2SEQ_MODEL_SCORING_MODEL_H_

#include <memory>
#include <string>

#include <torch/types.h>

#include "seq2seq/inference/model_options.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/model/model.h"
#include "seq2seq/search/scorer.h"

namespace seq2seq {

// Makes a scoring model of the inference form in `precision`, if the model has one and is on the
// CPU; else in LibTorch operations: bf16 is autocast on CUDA, and everything is fp32 on the CPU.
// The model must be in eval mode and not change while in use.
std::shared_ptr<const ScoringModel> MakeScoringModel(Model model, torch::Device device,
                                                     Precision precision);

// Why the CPU computes such a model in fp32 instead of `precision`, for the log; empty if it does
// not.
std::string PrecisionNote(const ModelOptions& options, Precision precision);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_SCORING_MODEL_H_
