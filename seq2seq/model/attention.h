// Looking back at the source.
#ifndef SEQ2SEQ_MODEL_ATTENTION_H_
#define SEQ2SEQ_MODEL_ATTENTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/model/encoder.h"

namespace seq2seq {

enum class AttentionKind { kGeneral, kDot, kMlp };

inline std::vector<std::string> EnumTexts(AttentionKind) { return {"general", "dot", "mlp"}; }

// A source made ready for being looked at many times. A value.
struct Memory {
  torch::Tensor values;  // [batch, source, memory], what is read.
  torch::Tensor keys;    // [batch, source, key], what queries are compared with.
  torch::Tensor bias;    // [batch, 1, source], 0 where there is a token, minus infinity at padding.

  // The memory of the sentences `sentences`, [batch].
  Memory Select(const torch::Tensor& sentences) const;
};

// What was read, and where.
struct Attended {
  torch::Tensor context;  // [batch, query, memory]
  torch::Tensor weights;  // [batch, query, source], adding up to 1 over the tokens.
};

// Scores every source token for every query; the context is the mean of the values weighted by the
// softmax.
class AttentionImpl : public torch::nn::Module {
 public:
  // Computes the keys, once for each source.
  Memory Memorize(const Encoded& encoded);

  // Queries [batch, query, hidden]: the steps of a sentence, or the hypotheses of one step.
  Attended forward(const torch::Tensor& query, const Memory& memory);

 protected:
  // [batch, source, memory] -> [batch, source, key]
  virtual torch::Tensor Keys(const torch::Tensor& values) = 0;

  // [batch, query, hidden], [batch, source, key] -> [batch, query, source]
  virtual torch::Tensor Score(const torch::Tensor& query, const torch::Tensor& keys) = 0;
};
TORCH_MODULE(Attention);

// query' W value (Luong et al. 2015).
class GeneralAttentionImpl : public AttentionImpl {
 public:
  GeneralAttentionImpl(int64_t memory, int64_t hidden);

 protected:
  torch::Tensor Keys(const torch::Tensor& values) override;
  torch::Tensor Score(const torch::Tensor& query, const torch::Tensor& keys) override;

 private:
  torch::nn::Linear projection_;
};

// query' value (Luong et al. 2015): needs no parameters, and sizes that agree.
class DotAttentionImpl : public AttentionImpl {
 protected:
  torch::Tensor Keys(const torch::Tensor& values) override;
  torch::Tensor Score(const torch::Tensor& query, const torch::Tensor& keys) override;
};

// v' tanh(W query + U value) (Bahdanau et al. 2015), all of the size of the query.
class MlpAttentionImpl : public AttentionImpl {
 public:
  MlpAttentionImpl(int64_t memory, int64_t hidden);

 protected:
  torch::Tensor Keys(const torch::Tensor& values) override;
  torch::Tensor Score(const torch::Tensor& query, const torch::Tensor& keys) override;

 private:
  torch::nn::Linear key_projection_;
  torch::nn::Linear query_projection_;
  torch::nn::Linear energy_;
};

// Attention of queries of size `hidden` to a memory of size `memory`.
Attention MakeAttention(AttentionKind kind, int64_t memory, int64_t hidden);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_ATTENTION_H_
