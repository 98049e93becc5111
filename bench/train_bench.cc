// Benchmark of whole training updates, compared with LibTorch's operations and the limit that
// matrix products set.
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include <CLI/CLI.hpp>
#include <torch/torch.h>

#include "bench/processor.h"
#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/heap.h"
#include "seq2seq/base/profile.h"
#include "seq2seq/base/random.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/kernels/parallel.h"
#include "seq2seq/model/model.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/train/gradient.h"
#include "seq2seq/train/optimizer.h"

namespace seq2seq {
namespace {

struct Flags {
  std::string workload = "W1";
  std::vector<std::string> paths = {"fp32", "bf16", "plain"};
  int rounds = 5;
  int updates = 10;
  int threads = 2;
  int64_t batch = 64;
  int64_t source = 14;
  int64_t vocab = 8000;
  int64_t hidden = 0;
  int64_t sampled_softmax = 0;
  std::string attention = "general";
  bool copy = false;
  bool conditional = false;
  double forcing = 1;
  std::string form = "stepwise";
  bool no_limit = false;
  bool profile = false;
};

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Transformers of 4 + 4 layers of 128 values (T1), 6 + 6 of 256 (T2), or 6 + 2 with recurrent units
// (T3); all embeddings are one, as is usual.
ModelOptions TransformerOptionsOf(const Flags& flags) {
  const bool tiny = flags.workload == "T1";
  const bool recurrent = flags.workload == "T3";
  ModelOptions options;
  options.source_vocab = options.target_vocab = flags.vocab;
  options.shared_embeddings = options.decoder.tied_embeddings = true;
  options.encoder.kind = EncoderKind::kTransformer;
  options.decoder.kind = recurrent ? DecoderKind::kSsru : DecoderKind::kTransformer;
  options.encoder.hidden = options.decoder.hidden = tiny ? 128 : 256;
  options.encoder.layers = tiny ? 4 : 6;
  options.decoder.layers = recurrent ? 2 : options.encoder.layers;
  options.encoder.dropout = options.decoder.dropout = 0.1;
  options.encoder.transformer.feed_forward = options.decoder.transformer.feed_forward =
      tiny ? 256 : 1024;
  return options;
}

ModelOptions OptionsOf(const Flags& flags) {
  if (flags.workload[0] == 'T') return TransformerOptionsOf(flags);
  const int64_t scale = flags.workload == "W2" ? 2 : 1;
  ModelOptions options;
  options.source_vocab = options.target_vocab = flags.vocab;
  options.encoder.embedding = options.decoder.embedding = 256 * scale;
  options.encoder.hidden = flags.hidden > 0 ? flags.hidden / 2 : 256 * scale;
  options.decoder.hidden = flags.hidden > 0 ? flags.hidden : 512 * scale;
  options.encoder.layers = options.decoder.layers = scale;
  options.decoder.attention = *EnumFromText<AttentionKind>(flags.attention);
  options.decoder.copy = flags.copy;
  options.decoder.conditional = flags.conditional;
  return options;
}

Example RandomExample(int64_t source, int64_t target, int64_t vocab, uint64_t seed,
                      std::vector<int32_t>& storage) {
  storage.clear();
  for (int64_t i = 0; i < source + target; ++i) {
    // Frequent and rare subwords, as in text.
    const double draw = static_cast<double>(Mix(seed + static_cast<uint64_t>(i)) >> 11) * 0x1p-53;
    storage.push_back(4 +
                      static_cast<int32_t>(draw * draw * draw * static_cast<double>(vocab - 4)));
  }
  return {absl::MakeConstSpan(storage.data(), static_cast<size_t>(source)),
          absl::MakeConstSpan(storage.data() + source, static_cast<size_t>(target))};
}

// Batches as bucketing forms them: sentences of similar length in each, lengths distributed as in
// Multi30k.
std::vector<Batch> MakeBatches(const Flags& flags) {
  std::vector<Batch> batches;
  for (int b = 0; b < flags.updates; ++b) {
    const double spread = 0.5 + static_cast<double>(b) / std::max(flags.updates - 1, 1);
    const auto length = std::max<int64_t>(
        1, static_cast<int64_t>(static_cast<double>(flags.source - 1) * spread + 0.5));
    std::vector<std::vector<int32_t>> storage(static_cast<size_t>(flags.batch));
    std::vector<Example> examples;
    for (int64_t i = 0; i < flags.batch; ++i) {
      const uint64_t seed = DeriveSeed({static_cast<uint64_t>(b), static_cast<uint64_t>(i)});
      const int64_t longer = static_cast<int64_t>(seed % 3);
      examples.push_back(RandomExample(length, length + longer, flags.vocab, seed,
                                       storage[static_cast<size_t>(i)]));
    }
    batches.push_back(Collate(examples));
  }
  return batches;
}

// A product of an update, computed `times` times: c [m, n] with inner dimension k; on all threads,
// or by each thread for its own rows.
struct ProductShape {
  int64_t m, n, k;
  double times;
  bool side_by_side;
  bool of_gradients;  // a' b instead of a b.

  double flops() const {
    return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) * times;
  }
};

// Products of a layer with weights [n, k] over `rows` rows in all, at once or in time steps of
// `step` rows: forward, backward, and the gradients of the weights.
void AddProducts(int64_t rows, int64_t n, int64_t k, int64_t step,
                 std::vector<ProductShape>& products) {
  if (step == 0) {
    products.push_back({rows, n, k, 1, false, false});
    products.push_back({rows, k, n, 1, false, false});
  } else {
    const double times = static_cast<double>(rows) / static_cast<double>(step);
    products.push_back({step, n, k, times, true, false});
    products.push_back({step, k, n, times, true, false});
  }
  products.push_back({n, k, rows, 1, false, true});
}

// The products of the sub-layers of Transformers, but for those of queries with keys, and of
// weights with values.
std::vector<ProductShape> TransformerProducts(const ModelOptions& options, int64_t source,
                                              int64_t target) {
  std::vector<ProductShape> products;
  const auto feed_forward = [&](int64_t rows, int64_t size, int64_t inner) {
    AddProducts(rows, inner, size, 0, products);
    AddProducts(rows, size, inner, 0, products);
  };
  const auto attention = [&](int64_t rows, int64_t size) {
    AddProducts(rows, 3 * size, size, 0, products);
    AddProducts(rows, size, size, 0, products);
  };
  const EncoderOptions& encoder = options.encoder;
  for (int64_t layer = 0; layer < encoder.layers; ++layer) {
    attention(source, encoder.hidden);
    feed_forward(source, encoder.hidden, encoder.transformer.feed_forward);
  }
  const int64_t size = options.decoder.hidden;
  for (int64_t layer = 0; layer < options.decoder.layers; ++layer) {
    if (options.decoder.kind == DecoderKind::kSsru) {
      AddProducts(target, 2 * size, size, 0, products);
    } else {
      attention(target, size);
    }
    AddProducts(target, size, size, 0, products);                // Queries to the source,
    AddProducts(source, 2 * size, encoder.hidden, 0, products);  // its keys and values,
    AddProducts(target, size, size, 0, products);                // and the output.
    feed_forward(target, size, options.decoder.transformer.feed_forward);
  }
  AddProducts(target, options.target_vocab, size, 0, products);
  return products;
}

// All matrix products of an update with `source` and `target` tokens.
std::vector<ProductShape> ProductsOf(const ModelOptions& options, int64_t source, int64_t target,
                                     int64_t batch, int threads) {
  if (options.encoder.kind == EncoderKind::kTransformer)
    return TransformerProducts(options, source, target);
  std::vector<ProductShape> products;
  const EncoderOptions& encoder = options.encoder;
  const DecoderOptions& decoder = options.decoder;
  const int64_t memory = 2 * encoder.hidden;
  const int64_t directions = 2;
  for (int64_t layer = 0; layer < encoder.layers; ++layer) {
    for (int64_t d = 0; d < directions; ++d) {
      AddProducts(source, 4 * encoder.hidden, layer == 0 ? encoder.embedding : memory, 0, products);
      AddProducts(source, 4 * encoder.hidden, encoder.hidden, batch, products);
    }
  }
  AddProducts(source, decoder.hidden, memory, 0, products);
  const int64_t group = std::max<int64_t>(batch / threads, 1);
  for (int64_t layer = 0; layer < decoder.layers; ++layer) {
    const int64_t hidden = decoder.hidden;
    if (layer == 0) AddProducts(target, 4 * hidden, decoder.embedding, 0, products);
    AddProducts(target, 4 * hidden, hidden, group, products);  // Input feeding, or layer below.
    AddProducts(target, 4 * hidden, hidden, group, products);
  }
  if (decoder.conditional) {
    AddProducts(target, 4 * decoder.hidden, memory, group, products);
    AddProducts(target, 4 * decoder.hidden, decoder.hidden, group, products);
  }
  AddProducts(target, decoder.hidden, memory + decoder.hidden, group, products);
  AddProducts(target, options.target_vocab, decoder.hidden, 0, products);
  return products;
}

// Seconds that one product of a shape takes.
double TimeOf(const ProductShape& shape, Precision precision, int threads) {
  const Buffer a(shape.of_gradients ? shape.k : shape.m, shape.of_gradients ? shape.m : shape.k);
  const Buffer b(shape.k, shape.n);
  std::vector<Buffer> c;
  for (int i = 0; i < threads; ++i) c.emplace_back(shape.m, shape.n);
  Clear(a.view());
  Clear(b.view());
  const PackedMatrix packed =
      shape.of_gradients ? PackedMatrix() : PackedMatrix::Pack(b.view(), precision);
  const auto once = [&](size_t thread) {
    if (shape.of_gradients) {
      MultiplyTransposed(Operand(a.view(), precision), Operand(b.view(), precision),
                         c[thread].view());
    } else {
      Multiply(a.view(), packed, c[thread].view());
    }
  };
  const auto run = [&](int times) {
    if (!shape.side_by_side || threads == 1) {
      for (int i = 0; i < times; ++i) once(0);
    } else {
      ParallelFor(threads, [&](int64_t thread) {
        for (int i = 0; i < times; ++i) once(static_cast<size_t>(thread));
      });
    }
  };
  run(2);
  std::vector<double> seconds;
  const int times = std::max(1, static_cast<int>(2e9 * shape.times / shape.flops()));
  for (int round = 0; round < 5; ++round) {
    const double start = Now();
    run(times);
    seconds.push_back((Now() - start) / times);
  }
  return Median(seconds) / (shape.side_by_side ? threads : 1);
}

// Seconds that all products of the batches take: the limit of any implementation with the same
// products.
double ProductSeconds(const Flags& flags, const std::vector<Batch>& batches, Precision precision,
                      double& flops) {
  int64_t source = 0;
  int64_t target = 0;
  for (const Batch& batch : batches) {
    source += batch.source_lengths.sum().item<int64_t>();
    target += batch.target_tokens;
  }
  const auto count = static_cast<int64_t>(batches.size());
  double seconds = 0;
  flops = 0;
  for (const ProductShape& shape :
       ProductsOf(OptionsOf(flags), source / count, target / count, flags.batch, flags.threads)) {
    seconds += TimeOf(shape, precision, flags.threads) * shape.times;
    flops += shape.flops();
  }
  flops *= static_cast<double>(count);
  return seconds * static_cast<double>(count);
}

struct Path {
  std::string name;
  Compute compute;
  std::vector<double> rates = {};   // Target tokens per second of each round.
  std::vector<double> phases = {};  // Total seconds.
  double seconds = 0;
};

class Bench {
 public:
  explicit Bench(const Flags& flags)
      : flags_(flags), batches_(MakeBatches(flags)), model_(OptionsOf(flags)) {
    parameters_ = Parameters(*model_);
    optimizer_ = MakeOptimizer(OptimizerOptions(), {{parameters_}});
    model_->train();
  }

  void Run(Path& path) {
    const ComputeGuard guard(path.compute);
    const TeacherForcing forcing = {
        .rate = flags_.forcing,
        .form = flags_.form == "two_pass" ? SamplingForm::kTwoPass : SamplingForm::kStepwise};
    ResetPhases();
    int64_t tokens = 0;
    const double start = Now();
    for (const Batch& batch : batches_) {
      torch::manual_seed(static_cast<uint64_t>(++update_));
      for (auto& [name, parameter] : parameters_) parameter.mutable_grad() = torch::Tensor();
      model_
          ->ComputeLoss(batch, forcing,
                        {.smoothing = 0.1,
                         .scale = 1.0 / static_cast<double>(batch.target_tokens),
                         .sampled_softmax = flags_.sampled_softmax})
          .objective.backward();
      const double norm = GradientNorm(parameters_);
      optimizer_->Step(1e-4, norm > 1 ? 1 / norm : 1);
      tokens += batch.target_tokens;
    }
    const double seconds = Now() - start;
    path.rates.push_back(static_cast<double>(tokens) / seconds);
    path.phases.resize(PhaseSeconds().size());
    for (size_t i = 0; i < path.phases.size(); ++i) path.phases[i] += PhaseSeconds()[i];
    path.seconds += seconds;
  }

  const std::vector<Batch>& batches() const { return batches_; }
  int64_t tokens() const {
    int64_t tokens = 0;
    for (const Batch& batch : batches_) tokens += batch.target_tokens;
    return tokens;
  }

 private:
  const Flags& flags_;
  const std::vector<Batch> batches_;
  Model model_;
  TensorMap parameters_;
  std::unique_ptr<Optimizer> optimizer_;
  int64_t update_ = 0;
};

void PrintProfile(const Path& path, int updates) {
  const std::vector<std::string> names = EnumTexts(Phase());
  double rest = path.seconds;
  for (size_t i = 0; i < names.size(); ++i) {
    absl::PrintF("  %-18s %7.2f ms  %4.1f%%\n", names[i], 1e3 * path.phases[i] / updates,
                 100 * path.phases[i] / path.seconds);
    rest -= path.phases[i];
  }
  absl::PrintF("  %-18s %7.2f ms  %4.1f%%\n", "rest", 1e3 * rest / updates,
               100 * rest / path.seconds);
}

void Main(const Flags& flags) {
  torch::set_num_threads(flags.threads);
  SetUpHeap();  // As the program does.
  Bench bench(flags);
  std::vector<Path> paths;
  for (const std::string& name : flags.paths) {
    if (name == "bf16" && !SupportsProducts(Precision::kBf16)) {
      absl::PrintF("bf16: not on this processor\n");
      continue;
    }
    paths.push_back({name,
                     {.fused = name != "plain",
                      .precision = name == "bf16" ? Precision::kBf16 : Precision::kFp32}});
  }
  for (Path& path : paths) bench.Run(path);  // Warm-up: plans products, and fills caches.
  for (Path& path : paths) path = {path.name, path.compute};
  for (int round = 0; round < flags.rounds; ++round) {
    for (Path& path : paths) bench.Run(path);
  }
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  absl::PrintF("%s\n", DescribeProcessor());
  absl::PrintF("%s, %d sentences, %.0f target tokens an update, %d threads, medians of %d x %d\n",
               flags.workload, flags.batch, static_cast<double>(bench.tokens()) / flags.updates,
               flags.threads, flags.rounds, flags.updates);
  double plain = 0;
  for (const Path& path : paths) {
    if (!path.compute.fused) plain = Median(path.rates);
  }
  for (const Path& path : paths) {
    const double rate = Median(path.rates);
    absl::PrintF("%-6s %7.0f tokens/s", path.name, rate);
    if (path.compute.fused && !flags.no_limit) {
      double flops;
      const double limit = ProductSeconds(flags, bench.batches(), path.compute.precision, flops);
      absl::PrintF("  %.2f of %7.0f, the limit of its products (%.0f GFLOP/s)",
                   rate * limit / static_cast<double>(bench.tokens()),
                   static_cast<double>(bench.tokens()) / limit, 1e-9 * flops / limit);
    }
    if (path.compute.fused && plain > 0) absl::PrintF("  %.2f x plain", rate / plain);
    absl::PrintF("\n");
    if (flags.profile) PrintProfile(path, flags.rounds * flags.updates);
  }
  absl::PrintF("peak memory %.0f MB, page faults %d\n", static_cast<double>(usage.ru_maxrss) / 1024,
               usage.ru_minflt);
}

}  // namespace
}  // namespace seq2seq

int main(int argc, char** argv) {
  seq2seq::Flags flags;
  CLI::App app(
      "Measures whole training updates on synthetic sentences: target tokens per second, compared "
      "with the limit that the update's own matrix products set and with LibTorch's operations "
      "(plain).",
      "train_bench");
  app.add_option(
         "--workload", flags.workload,
         "Recurrent: W1 of 1 layer, embedding 256, encoder 2x256, decoder 512; W2 of 2 layers, "
         "twice as wide. Transformers: T1 of 4 + 4 layers, 128 and 256 wide; T2 of 6 + 6, 256 and "
         "1,024; T3 of 6 + 2 with recurrent units (SSRU), 256 and 1,024")
      ->check(CLI::IsMember({"W1", "W2", "T1", "T2", "T3"}))
      ->capture_default_str();
  app.add_option("--paths", flags.paths, "Of fp32, bf16 and plain")
      ->check(CLI::IsMember({"fp32", "bf16", "plain"}))
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--rounds", flags.rounds, "Number of rounds, each of all paths")
      ->capture_default_str();
  app.add_option("--updates", flags.updates, "Updates per round")->capture_default_str();
  app.add_option("--threads", flags.threads, "Number of threads")->capture_default_str();
  app.add_option("--batch", flags.batch, "Sentences per batch")->capture_default_str();
  app.add_option("--source", flags.source, "Mean tokens per sentence")->capture_default_str();
  app.add_option("--vocab", flags.vocab, "Vocabulary of each side")->capture_default_str();
  app.add_option(
         "--sampled-softmax", flags.sampled_softmax,
         "Target tokens that the output layer is trained with beside the references; 0 is all")
      ->capture_default_str();
  app.add_option("--attention", flags.attention, "Of the recurrent decoder")
      ->check(CLI::IsMember(seq2seq::EnumTexts(seq2seq::AttentionKind())))
      ->capture_default_str();
  app.add_flag("--copy", flags.copy, "The recurrent decoder copies source subwords");
  app.add_flag("--conditional", flags.conditional, "The recurrent decoder has a conditional cell");
  app.add_option("--hidden", flags.hidden,
                 "W1, W2: hidden size of the decoder; 0 is the workload's")
      ->capture_default_str();
  app.add_option("--forcing", flags.forcing,
                 "Teacher forcing: probability of feeding the reference token")
      ->capture_default_str();
  app.add_option("--form", flags.form, "Scheduled sampling: stepwise or two_pass")
      ->check(CLI::IsMember({"stepwise", "two_pass"}))
      ->capture_default_str();
  app.add_flag("--no-limit", flags.no_limit, "Do not measure the limit");
  app.add_flag("--profile", flags.profile, "Print the time of each phase for each path");
  CLI11_PARSE(app, argc, argv);
  if (!seq2seq::LimitToEnvironment()) return 1;
  seq2seq::Main(flags);
  return 0;
}
