// Scoring models of LibTorch modules.
#ifndef SEQ2SEQ_MODEL_SCORING_MODEL_H_
#define SEQ2SEQ_MODEL_SCORING_MODEL_H_

#include <memory>

#include <torch/types.h>

#include "seq2seq/kernels/product.h"
#include "seq2seq/model/model.h"
#include "seq2seq/search/scorer.h"

namespace seq2seq {

// Makes a scoring model of the inference form in `precision`, on the CPU; on CUDA, for what only
// LibTorch computes, and where kernels are switched off, of LibTorch operations: bf16 is autocast
// on CUDA, and everything else is fp32, as note() says.
// The model must be in eval mode and not change while in use.
std::shared_ptr<const ScoringModel> MakeScoringModel(Model model, torch::Device device,
                                                     Precision precision);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_SCORING_MODEL_H_
