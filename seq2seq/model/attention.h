// Attention over the encoder output: multiplicative, dot-product, additive, multi-head, coverage,
// location-aware.
#ifndef SEQ2SEQ_MODEL_ATTENTION_H_
#define SEQ2SEQ_MODEL_ATTENTION_H_

#include <cstdint>

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/inference/attention_kind.h"
#include "seq2seq/model/encoded.h"

namespace seq2seq {

// The result of attention.
struct Attended {
  torch::Tensor context;  // [batch, query, context], of ContextSize.
  torch::Tensor weights;  // [batch, query, source], summing to 1 over the tokens.
};

// The parameters of additive attention that the kernels use in every time step: of MlpAttentionImpl
// W, [hidden, hidden], and v, [1, hidden]; of CoverageAttentionImpl also c, [hidden, 1].
struct AdditiveParameters {
  torch::Tensor query, energy, coverage;
};

// Base class of attentions. Scores every source token for every query; the attention weights are
// the softmax over the scores, the context is the mean of the values weighted by them.
class AttentionImpl : public torch::nn::Module {
 public:
  // Computes values and keys, once for each source.
  Memory Memorize(const Encoded& encoded);

  // Attends with queries [batch, query, hidden]: the time steps of a sentence, or the hypotheses of
  // one time step. `past`, [batch, query, source], is the result of UpdateCoverage at the previous
  // time step; undefined at the first, and for attentions that do not use it.
  virtual Attended forward(const torch::Tensor& query, const Memory& memory,
                           const torch::Tensor& past);

  // `past` of the next time step (coverage, or previous attention weights) from the attention
  // weights of this one; undefined for attentions that do not use it.
  virtual torch::Tensor UpdateCoverage(const torch::Tensor& weights,
                                       const torch::Tensor& past) const;

  // For the attentions that HasTrainingKernel; undefined tensors for dot products.
  virtual AdditiveParameters additive() const { return {}; }

 protected:
  // [batch, source, memory] -> [batch, source, context]; by default the identity.
  virtual torch::Tensor Values(const torch::Tensor& values) { return values; }

  // [batch, source, memory] -> [batch, source, key]
  virtual torch::Tensor Keys(const torch::Tensor& values) = 0;

  // [batch, query, hidden], [batch, source, key] -> [batch, query, source]; by default dot
  // products. `past`, [batch, query, source], is as in forward.
  virtual torch::Tensor Score(const torch::Tensor& query, const torch::Tensor& keys,
                              const torch::Tensor& past);
};
TORCH_MODULE(Attention);

// Multiplicative attention: query' W value (Luong et al. 2015).
class GeneralAttentionImpl : public AttentionImpl {
 public:
  GeneralAttentionImpl(int64_t memory, int64_t hidden);

 protected:
  torch::Tensor Keys(const torch::Tensor& values) override;

 private:
  torch::nn::Linear projection_;
};

// Dot-product attention: query' value (Luong et al. 2015), times `scale`, which is 1 / sqrt(size)
// for kScaledDot (Vaswani et al. 2017). Has no parameters; query and value must be of the same
// size.
class DotAttentionImpl : public AttentionImpl {
 public:
  explicit DotAttentionImpl(double scale) : scale_(scale) {}

 protected:
  torch::Tensor Keys(const torch::Tensor& values) override;

 private:
  double scale_;
};

// Additive attention: v' tanh(W query + U value) (Bahdanau et al. 2015), with a hidden layer of the
// size of the query.
class MlpAttentionImpl : public AttentionImpl {
 public:
  MlpAttentionImpl(int64_t memory, int64_t hidden);

  AdditiveParameters additive() const override {
    return {query_projection_->weight, energy_->weight, {}};
  }

 protected:
  torch::Tensor Keys(const torch::Tensor& values) override;
  torch::Tensor Score(const torch::Tensor& query, const torch::Tensor& keys,
                      const torch::Tensor& past) override;

  // The term of `past` inside the tanh: [batch, query, source] -> [batch, query, source, hidden];
  // undefined for none.
  virtual torch::Tensor Past(const torch::Tensor& past) { return {}; }

 private:
  torch::nn::Linear key_projection_;
  torch::nn::Linear query_projection_;
  torch::nn::Linear energy_;
};

// Coverage attention: v' tanh(W query + U value + c coverage), where coverage is the sum of the
// attention weights of a source token over all previous time steps (Tu et al. 2016, "linguistic"
// coverage).
class CoverageAttentionImpl : public MlpAttentionImpl {
 public:
  CoverageAttentionImpl(int64_t memory, int64_t hidden);

  AdditiveParameters additive() const override {
    AdditiveParameters parameters = MlpAttentionImpl::additive();
    parameters.coverage = coverage_->weight;
    return parameters;
  }

  torch::Tensor UpdateCoverage(const torch::Tensor& weights,
                               const torch::Tensor& past) const override;

 protected:
  torch::Tensor Past(const torch::Tensor& past) override;

 private:
  torch::nn::Linear coverage_;
};

// Location-aware attention: v' tanh(W query + U value + F (filters * weights)), a convolution over
// the attention weights of the previous time step (Chorowski et al. 2015).
class LocationAttentionImpl : public MlpAttentionImpl {
 public:
  LocationAttentionImpl(int64_t memory, int64_t hidden);

  torch::Tensor UpdateCoverage(const torch::Tensor& weights,
                               const torch::Tensor& past) const override;

 protected:
  torch::Tensor Past(const torch::Tensor& past) override;

 private:
  torch::nn::Conv1d filters_;
  torch::nn::Linear location_;
};

// Multi-head attention: scaled dot products of `heads` slices of projected queries and keys, each
// with its own slice of the projected values (Vaswani et al. 2017). The output projection is the
// decoder's layer for the attentional state. Attended::weights is the mean over the heads.
class MultiHeadAttentionImpl : public AttentionImpl {
 public:
  // `heads` divides `hidden`.
  MultiHeadAttentionImpl(int64_t memory, int64_t hidden, int64_t heads);

  Attended forward(const torch::Tensor& query, const Memory& memory,
                   const torch::Tensor& past) override;

 protected:
  torch::Tensor Values(const torch::Tensor& values) override;
  torch::Tensor Keys(const torch::Tensor& values) override;

 private:
  // [batch, position, hidden] -> [batch, head, position, hidden / heads]
  torch::Tensor Split(const torch::Tensor& rows) const;

  int64_t hidden_;
  int64_t heads_;
  torch::nn::Linear query_projection_;
  torch::nn::Linear key_projection_;
  torch::nn::Linear value_projection_;
};

// No attention: the source reaches the decoder through its initial state alone (Sutskever et al.
// 2014). The context is empty, and the attention weights are uniform.
class NoAttentionImpl : public AttentionImpl {
 public:
 protected:
  torch::Tensor Values(const torch::Tensor& values) override;
  torch::Tensor Keys(const torch::Tensor& values) override;
  torch::Tensor Score(const torch::Tensor& query, const torch::Tensor& keys,
                      const torch::Tensor& past) override;
};

// Attention of queries of size `hidden` to encoder output of size `memory`; `heads` is for
// kMultiHead.
Attention MakeAttention(AttentionKind kind, int64_t memory, int64_t hidden, int64_t heads);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_ATTENTION_H_
