// Models, batches and runs small enough for a test.
#ifndef TESTS_TESTING_TINY_MODEL_H_
#define TESTS_TESTING_TINY_MODEL_H_

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/random.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/model/loss.h"
#include "seq2seq/model/model.h"
#include "seq2seq/model/parameters.h"
#include "tests/testing/temporary_folder.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// Without dropout. Sizes differ wherever they may, so that one in the place of another shows; the
// decoder is twice as large as a direction of the encoder, as dot attention needs.
inline ModelOptions TinyOptions() {
  ModelOptions options;
  options.source_vocab = 11;
  options.target_vocab = 9;
  options.encoder.embedding = 5;
  options.encoder.hidden = 4;
  options.encoder.dropout = 0;
  options.decoder.embedding = 6;
  options.decoder.hidden = 8;
  options.decoder.dropout = 0;
  return options;
}

// Every kind of Transformer, of decoder with it, and option of its layers, by a name; with layers
// of `size` values, a multiple of 12.
inline std::vector<std::pair<std::string, ModelOptions>> TransformerVariants(int64_t size = 12) {
  std::vector<std::pair<std::string, ModelOptions>> variants;
  const auto add = [&](const std::string& name, auto change) {
    ModelOptions options = TinyOptions();
    options.encoder.kind = EncoderKind::kTransformer;
    options.decoder.kind = DecoderKind::kTransformer;
    options.encoder.hidden = options.decoder.hidden = size;
    options.encoder.layers = options.decoder.layers = 2;
    for (TransformerOptions* layers :
         {&options.encoder.transformer, &options.decoder.transformer}) {
      layers->heads = 3;
      layers->feed_forward = 2 * size - 3;
      layers->max_positions = 4;
    }
    change(options);
    EXPECT_TRUE(Validate(options).ok()) << name << ": " << Validate(options);
    variants.emplace_back(name, options);
  };
  const auto layers = [](ModelOptions& options, auto change) {
    change(options.encoder.transformer);
    change(options.decoder.transformer);
  };
  add("pre, sinusoidal, relu", [](ModelOptions&) {});
  add("post, learned, gelu", [&](ModelOptions& o) {
    layers(o, [](TransformerOptions& t) {
      t.norm = NormPlacement::kPost;
      t.positions = PositionKind::kLearned;
      t.activation = ActivationKind::kGelu;
    });
  });
  add("rotary, gated silu", [&](ModelOptions& o) {
    layers(o, [](TransformerOptions& t) {
      t.positions = PositionKind::kRotary;
      t.activation = ActivationKind::kSilu;
      t.gated = true;
    });
  });
  add("ssru", [](ModelOptions& o) { o.decoder.kind = DecoderKind::kSsru; });
  add("post, ssru", [&](ModelOptions& o) {
    o.decoder.kind = DecoderKind::kSsru;
    layers(o, [](TransformerOptions& t) { t.norm = NormPlacement::kPost; });
  });
  add("recurrent encoder", [](ModelOptions& o) { o.encoder = TinyOptions().encoder; });
  add("recurrent decoder", [](ModelOptions& o) {
    o.decoder = TinyOptions().decoder;
    o.encoder.hidden = 8;
    o.encoder.transformer.heads = 2;
  });
  add("shared and tied embeddings", [](ModelOptions& o) {
    o.source_vocab = o.target_vocab;
    o.shared_embeddings = o.decoder.tied_embeddings = true;
  });
  for (const DecoderKind kind : {DecoderKind::kTransformer, DecoderKind::kSsru}) {
    add("language model, " + EnumText(kind), [&](ModelOptions& o) {
      o.source = SourceKind::kNone;
      o.decoder.attention = AttentionKind::kNone;
      o.decoder.kind = kind;
    });
  }
  return variants;
}

// Fills the parameters with values so large that every part of the model matters, padding's
// embedding too.
inline void Randomize(const torch::nn::Module& module, uint64_t seed) {
  torch::manual_seed(seed);
  const torch::NoGradGuard no_grad;
  for (auto& [name, parameter] : Parameters(module)) parameter.uniform_(-0.9, 0.9);
}

// In eval mode.
inline Model TinyModel(const ModelOptions& options, torch::ScalarType type = torch::kFloat64,
                       uint64_t seed = 1) {
  torch::set_num_threads(1);
  Model model(options);
  model->to(type);
  model->eval();
  Randomize(*model, seed);
  return model;
}

using Ids = std::vector<int32_t>;

struct Pair {
  Ids source;
  Ids target;
};

// `length` ids below `vocab` that may stand in a sentence.
inline Ids RandomIds(size_t length, int64_t vocab, uint64_t seed) {
  Ids ids;
  for (size_t i = 0; i < length; ++i) {
    const auto words = static_cast<uint64_t>(vocab - kEosId - 1);
    ids.push_back(kEosId + 1 + static_cast<int32_t>(DeriveSeed({seed, i}) % words));
  }
  return ids;
}

// A pair for each {source length, target length}.
inline std::vector<Pair> RandomPairs(const ModelOptions& options,
                                     const std::vector<std::pair<size_t, size_t>>& lengths,
                                     uint64_t seed = 1) {
  std::vector<Pair> pairs;
  for (const auto& [source, target] : lengths) {
    seed = Mix(seed);
    pairs.push_back({RandomIds(source, options.source_vocab, seed),
                     RandomIds(target, options.target_vocab, seed + 1)});
  }
  return pairs;
}

inline Batch MakeBatch(const std::vector<Pair>& pairs) {
  std::vector<Example> examples;
  for (const Pair& pair : pairs) examples.push_back({pair.source, pair.target});
  return Collate(examples);
}

// The largest difference between two tensors; infinity if their shapes differ.
inline double MaxDifference(const torch::Tensor& a, const torch::Tensor& b) {
  if (a.sizes() != b.sizes()) return std::numeric_limits<double>::infinity();
  if (a.numel() == 0) return 0;
  const double difference =
      (a.to(torch::kFloat64) - b.to(torch::kFloat64)).abs().max().item<double>();
  return difference >= 0 ? difference
                         : std::numeric_limits<double>::infinity();  // NaN is far away.
}

// The gradients of `objective`, by the names of the parameters; zeros for those that it does not
// reach.
inline TensorMap GradientsOf(const torch::nn::Module& module, const torch::Tensor& objective) {
  TensorMap parameters = Parameters(module);
  for (auto& [name, parameter] : parameters) parameter.mutable_grad() = torch::Tensor();
  objective.backward();
  TensorMap gradients;
  for (const auto& [name, parameter] : parameters) {
    const torch::Tensor& gradient = parameter.grad();
    gradients.emplace(name, gradient.defined() ? gradient.clone() : torch::zeros_like(parameter));
  }
  return gradients;
}

// What config.yaml says of the model.
struct ModelConfig {
  ModelOptions model;

  template <typename V>
  void Visit(V&& visit) {
    visit("model", model);
  }
};

// Writes a run folder with one step, which is the latest.
inline RunFolder WriteRun(const TemporaryFolder& folder, const ModelOptions& options,
                          const torch::nn::Module& model) {
  ModelConfig config = {options};
  folder.Write("config.yaml", PrintOptions(ListOptions(config)));
  const RunFolder run = {folder.path()};
  std::filesystem::create_directory(run.Step(1));
  const absl::Status status = WriteTensors(run.Step(1) + kWeightsFile, Parameters(model));
  EXPECT_TRUE(status.ok()) << status;
  std::filesystem::create_directory_symlink("step-1", run.Latest());
  return run;
}

}  // namespace seq2seq

#endif  // TESTS_TESTING_TINY_MODEL_H_
