// Options of decoders.
#ifndef SEQ2SEQ_INFERENCE_DECODER_OPTIONS_H_
#define SEQ2SEQ_INFERENCE_DECODER_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "seq2seq/inference/attention_kind.h"
#include "seq2seq/inference/transformer_options.h"
#include "seq2seq/kernels/gates.h"

namespace seq2seq {

// What carries the state from time step to time step: recurrent cells, the self-attention of
// Transformer layers, or in its place simpler simple recurrent units (Kim et al. 2019). The head of
// a masked language model has no time steps, and does not decode.
enum class DecoderKind { kRecurrent, kTransformer, kSsru, kHead };

inline std::vector<std::string> EnumTexts(DecoderKind) {
  return {"recurrent", "transformer", "ssru", "head"};
}

struct DecoderOptions {
  DecoderKind kind = DecoderKind::kRecurrent;
  int64_t embedding = 256;
  int64_t hidden = 512;
  int64_t layers = 1;
  CellKind cell = CellKind::kLstm;
  bool residual = false;
  AttentionKind attention = AttentionKind::kGeneral;
  int64_t attention_heads = 4;
  bool aligned_head = false;
  bool copy = false;
  bool input_feeding = true;
  bool conditional = false;
  bool context_gate = false;
  double doubly_stochastic = 0;
  bool tied_embeddings = false;
  double dropout = 0.3;
  double embedding_dropout = -1;
  double output_dropout = -1;
  double attention_dropout = 0;
  bool variational = false;
  double recurrent_dropout = 0;
  double word_dropout = 0;
  TransformerOptions transformer;

  template <typename V>
  void Visit(V&& visit) {
    visit("kind", kind,
          "recurrent: cells that attend to the source; transformer: Transformer layers; ssru: "
          "Transformer layers with a simpler simple recurrent unit in the place of "
          "self-attention, which decode faster (Kim et al. 2019). Those two have other defaults, "
          "as model.encoder.kind says, hidden 256 and layers 4 or 2, and do not read keys that "
          "say recurrent. head: a dense layer of size hidden over the encoder output, with which "
          "train.objective masked pretrains the encoder; it does not decode.");
    visit("embedding", embedding, "recurrent: size of a target embedding; else it is hidden.");
    visit("hidden", hidden, "Size of the hidden state; the capacity of the model.");
    visit("layers", layers,
          "Number of stacked layers. recurrent: 2 to 4 from about a million sentence pairs.");
    visit("cell", cell, "recurrent: the cell; see model.encoder.cell.");
    visit("residual", residual,
          "recurrent: residual connections around the layers above the first. For three layers or "
          "more. Trains one time step at a time, which is slower.");
    visit("attention", attention,
          "Score function of the attention of recurrent decoders; of others, none is no attention "
          "to a source. dot and scaled_dot need hidden to equal the size of the encoder output, "
          "which is 2 x encoder.hidden where its last layer is bidirectional, unless encoder.merge "
          "is sum. mlp is additive attention; coverage and location are mlp with the attention "
          "weights of earlier time steps as a further input; none leaves only the initial state. "
          "multi_head and location train one time step at a time, which is slower than the kernels "
          "of the others.");
    visit("attention_heads", attention_heads,
          "recurrent, multi_head: number of heads, a divisor of hidden.");
    visit("aligned_head", aligned_head,
          "transformer, ssru: the attention weights that are shown, and guided by "
          "train.guided_alignment, are those of the first head of the last layer instead of the "
          "mean over its heads. For guided alignment, which then leaves the other heads alone.");
    visit("copy", copy,
          "Copies subwords of the source, as names: the output is a mixture, by a learnt "
          "probability of copying, of the output layer's probabilities and the attention weights "
          "of the source subwords (the pointer-generator, See et al. 2017). Needs one tokenizer "
          "for both sides, and takes neither teachers nor scheduled sampling. For Transformers "
          "see aligned_head.");
    visit("input_feeding", input_feeding,
          "recurrent: input feeding, the attentional state of the previous time step is part of "
          "the input (Luong et al. 2015, section 3.3).");
    visit("conditional", conditional,
          "recurrent: a second cell after the attention, which reads the context and goes on from "
          "the state of the last layer: with cell gru, attention mlp and without input feeding, "
          "the conditional GRU of Nematus (Sennrich et al. 2017).");
    visit("context_gate", context_gate,
          "recurrent: scales the context by a gate computed from the hidden state (Xu et al. "
          "2015, section 4.2.1). Trains one time step at a time, which is slower.");
    visit("doubly_stochastic", doubly_stochastic,
          "recurrent: weight of the doubly stochastic penalty, which pushes the sum of the "
          "attention weights of each source position towards 1 (Xu et al. 2015, section 4.2.1, "
          "with weight 1). For images. 0 to 1,000; 0 is off. Trains one time step at a time, "
          "which is slower.");
    visit("tied_embeddings", tied_embeddings,
          "The output layer shares its weights with the target embedding (Press & Wolf 2017). "
          "Saves memory; often better for small corpora.");
    visit("dropout", dropout,
          "Dropout rate on embeddings, between layers and before the output layer. 0.3 to 0.5 for "
          "small corpora.");
    visit("embedding_dropout", embedding_dropout,
          "Dropout rate on embeddings; -1 uses the value of dropout.");
    visit("output_dropout", output_dropout,
          "Dropout rate before the output layer; -1 uses the value of dropout, for a recurrent "
          "decoder, or 0.");
    visit(
        "attention_dropout", attention_dropout,
        "recurrent: dropout rate on the context. Trains one time step at a time, which is slower.");
    visit("variational", variational,
          "recurrent: variational dropout, the same mask at every time step of a sentence (Gal & "
          "Ghahramani 2016), but without their masks of the recurrent state. Trains one time step "
          "at a time, which is slower.");
    visit("recurrent_dropout", recurrent_dropout,
          "recurrent: dropout rate on the candidate values of the recurrent state (Semeniuta et "
          "al. 2016); must be 0 for rnn_tanh and rnn_relu. Trains one time step at a time, which "
          "is slower.");
    visit("word_dropout", word_dropout,
          "Share of the input tokens replaced by the unknown token in training, so that the "
          "decoder relies on the source. Use at most 0.1; 0 is off.");
    visit("transformer", transformer);
  }
};

// InvalidArgument, naming the key and its value, if `options` are invalid.
absl::Status Validate(const DecoderOptions& options);

// Whether the kernels train such a decoder.
bool HasTrainingKernel(const DecoderOptions& options);

// Size of a target embedding.
int64_t EmbeddingSize(const DecoderOptions& options);

// Size of the attentional state of a recurrent decoder.
int64_t AttentionalSize(const DecoderOptions& options);

// Size of the output, which the output layer reads.
int64_t OutputSize(const DecoderOptions& options);

// Dropout rate before the output layer.
double OutputDropout(const DecoderOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_DECODER_OPTIONS_H_
