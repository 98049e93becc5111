// Looking back at the source.
#ifndef SEQ2SEQ_MODEL_ATTENTION_H_
#define SEQ2SEQ_MODEL_ATTENTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/model/encoder.h"

namespace seq2seq {

enum class AttentionKind {
  kGeneral,
  kDot,
  kMlp,
  kScaledDot,
  kMultiHead,
  kCoverage,
  kLocation,
  kNone,
};

inline std::vector<std::string> EnumTexts(AttentionKind) {
  return {"general", "dot", "mlp", "scaled_dot", "multi_head", "coverage", "location", "none"};
}

// A source made ready for being looked at many times. A value.
struct Memory {
  torch::Tensor values;  // [batch, source, context], what is read.
  torch::Tensor keys;    // [batch, source, key], what queries are compared with.
  torch::Tensor bias;    // [batch, 1, source], 0 where there is a token, minus infinity at padding.

  // The memory of the sentences `sentences`, [batch].
  Memory Select(const torch::Tensor& sentences) const;
};

// What was read, and where.
struct Attended {
  torch::Tensor context;  // [batch, query, context]
  torch::Tensor weights;  // [batch, query, source], adding up to 1 over the tokens.
};

// Scores every source token for every query; the context is the mean of the values weighted by the
// softmax.
class AttentionImpl : public torch::nn::Module {
 public:
  // Computes values and keys, once for each source.
  Memory Memorize(const Encoded& encoded);

  // Queries [batch, query, hidden]: the steps of a sentence, or the hypotheses of one step. `past`,
  // [batch, query, source], is what Remember made of the steps before; undefined before the first,
  // and for attentions that do not ask.
  virtual Attended forward(const torch::Tensor& query, const Memory& memory,
                           const torch::Tensor& past);

  // What later steps are to know of where this one looked; undefined for attentions that do not
  // ask.
  virtual torch::Tensor Remember(const torch::Tensor& weights, const torch::Tensor& past) const;

  // The last size of Attended::context.
  virtual int64_t context_size() const = 0;

 protected:
  // [batch, source, memory] -> [batch, source, context]; themselves unless it is said.
  virtual torch::Tensor Values(const torch::Tensor& values) { return values; }

  // [batch, source, memory] -> [batch, source, key]
  virtual torch::Tensor Keys(const torch::Tensor& values) = 0;

  // [batch, query, hidden], [batch, source, key] -> [batch, query, source]: dot products unless it
  // is said. `past`, [batch, query, source], is what Remember gave, undefined where it is nothing.
  virtual torch::Tensor Score(const torch::Tensor& query, const torch::Tensor& keys,
                              const torch::Tensor& past);
};
TORCH_MODULE(Attention);

// query' W value (Luong et al. 2015).
class GeneralAttentionImpl : public AttentionImpl {
 public:
  GeneralAttentionImpl(int64_t memory, int64_t hidden);

  int64_t context_size() const override { return memory_; }

 protected:
  torch::Tensor Keys(const torch::Tensor& values) override;

 private:
  int64_t memory_;
  torch::nn::Linear projection_;
};

// query' value (Luong et al. 2015), times `scale`, which is 1 / sqrt(size) for kScaledDot (Vaswani
// et al. 2017): needs no parameters, and sizes that agree.
class DotAttentionImpl : public AttentionImpl {
 public:
  DotAttentionImpl(int64_t size, double scale) : size_(size), scale_(scale) {}

  int64_t context_size() const override { return size_; }

 protected:
  torch::Tensor Keys(const torch::Tensor& values) override;

 private:
  int64_t size_;
  double scale_;
};

// v' tanh(W query + U value) (Bahdanau et al. 2015), all of the size of the query.
class MlpAttentionImpl : public AttentionImpl {
 public:
  MlpAttentionImpl(int64_t memory, int64_t hidden);

  int64_t context_size() const override { return memory_; }

 protected:
  torch::Tensor Keys(const torch::Tensor& values) override;
  torch::Tensor Score(const torch::Tensor& query, const torch::Tensor& keys,
                      const torch::Tensor& past) override;

  // What the past adds inside the tanh: [batch, query, source] -> [batch, query, source, hidden];
  // undefined for nothing.
  virtual torch::Tensor Past(const torch::Tensor& past) { return {}; }

 private:
  int64_t memory_;
  torch::nn::Linear key_projection_;
  torch::nn::Linear query_projection_;
  torch::nn::Linear energy_;
};

// v' tanh(W query + U value + c coverage), where coverage is how much all steps before looked at
// the place (Tu et al. 2016, "linguistic").
class CoverageAttentionImpl : public MlpAttentionImpl {
 public:
  CoverageAttentionImpl(int64_t memory, int64_t hidden);

  torch::Tensor Remember(const torch::Tensor& weights, const torch::Tensor& past) const override;

 protected:
  torch::Tensor Past(const torch::Tensor& past) override;

 private:
  torch::nn::Linear coverage_;
};

// v' tanh(W query + U value + F (filters * weights)), where filters see the neighbourhood of the
// place in the weights of the step before (Chorowski et al. 2015).
class LocationAttentionImpl : public MlpAttentionImpl {
 public:
  LocationAttentionImpl(int64_t memory, int64_t hidden);

  torch::Tensor Remember(const torch::Tensor& weights, const torch::Tensor& past) const override;

 protected:
  torch::Tensor Past(const torch::Tensor& past) override;

 private:
  torch::nn::Conv1d filters_;
  torch::nn::Linear location_;
};

// Scaled dot products of `heads` parts of projected queries and keys, each of which reads its part
// of the projected values (Vaswani et al. 2017); the projection of what they read is the decoder's
// readout. The weights that it tells are the mean of the heads'.
class MultiHeadAttentionImpl : public AttentionImpl {
 public:
  // `heads` divides `hidden`.
  MultiHeadAttentionImpl(int64_t memory, int64_t hidden, int64_t heads);

  Attended forward(const torch::Tensor& query, const Memory& memory,
                   const torch::Tensor& past) override;
  int64_t context_size() const override { return hidden_; }

 protected:
  torch::Tensor Values(const torch::Tensor& values) override;
  torch::Tensor Keys(const torch::Tensor& values) override;

 private:
  // [batch, place, hidden] -> [batch, head, place, hidden / heads]
  torch::Tensor Split(const torch::Tensor& rows) const;

  int64_t hidden_;
  int64_t heads_;
  torch::nn::Linear query_projection_;
  torch::nn::Linear key_projection_;
  torch::nn::Linear value_projection_;
};

// Reads nothing: all that the decoder knows of the source is the state that it starts from
// (Sutskever et al. 2014). The weights that it tells are the same for all tokens.
class NoAttentionImpl : public AttentionImpl {
 public:
  int64_t context_size() const override { return 0; }

 protected:
  torch::Tensor Values(const torch::Tensor& values) override;
  torch::Tensor Keys(const torch::Tensor& values) override;
  torch::Tensor Score(const torch::Tensor& query, const torch::Tensor& keys,
                      const torch::Tensor& past) override;
};

// Attention of queries of size `hidden` to a memory of size `memory`; `heads` of kMultiHead.
Attention MakeAttention(AttentionKind kind, int64_t memory, int64_t hidden, int64_t heads);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_ATTENTION_H_
