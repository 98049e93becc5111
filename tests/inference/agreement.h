// Comparison of networks for decoding with the LibTorch modules.
#ifndef TESTS_INFERENCE_AGREEMENT_H_
#define TESTS_INFERENCE_AGREEMENT_H_

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/inference/model_arrays.h"
#include "seq2seq/kernels/matrix.h"
#include "seq2seq/model/parameters.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {

// TinyOptions of sizes that fill vectors of every processor, and leave a rest.
inline ModelOptions WideOptions() {
  ModelOptions options = TinyOptions();
  options.encoder.hidden = 18;
  options.decoder.hidden = 36;
  return options;
}

// TinyModel in fp32, with weights that shrink with its size: rounding must not grow from time step
// to time step.
inline Model StableModel(const ModelOptions& options) {
  Model model = TinyModel(options, torch::kFloat32);
  const torch::NoGradGuard no_grad;
  const double scale =
      std::sqrt(static_cast<double>(TinyOptions().decoder.hidden) / options.decoder.hidden);
  for (auto& [name, parameter] : Parameters(*model)) parameter.mul_(scale);
  return model;
}

// The parameters of a model in fp32, which share its memory.
inline ModelArrays ArraysOf(const ModelOptions& options, const Model& model) {
  auto arrays = TakeArrays(options, ToArrays(Parameters(*model)), "the model");
  EXPECT_TRUE(arrays.ok()) << arrays.status();
  return *std::move(arrays);
}

// A batch of these sources, each with a target of `length` subwords.
inline Batch BatchOf(const std::vector<Ids>& sources, size_t length) {
  std::vector<Pair> pairs;
  for (const Ids& ids : sources)
    pairs.push_back({ids, RandomIds(length, TinyOptions().target_vocab, ids.size())});
  return MakeBatch(pairs);
}

// A copy.
inline torch::Tensor TensorOf(Matrix rows) {
  return torch::from_blob(rows.data, {rows.rows, rows.columns}, {rows.stride, 1}).clone();
}

// Expects values that differ by rounding only.
inline void ExpectAgreement(const torch::Tensor& found, const torch::Tensor& expected,
                            const std::string& what) {
  const double largest = expected.abs().max().item<double>();
  EXPECT_LT(MaxDifference(found, expected), 1e-5 * (1 + largest)) << what;
}

}  // namespace seq2seq

#endif  // TESTS_INFERENCE_AGREEMENT_H_
