// Benchmark of decoding a file in every precision, for several beam and batch sizes, compared with
// the limit that matrix products set.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include <CLI/CLI.hpp>
#include <torch/torch.h>

#include "bench/processor.h"
#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/options.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/kernels/precision_choice.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/model/parameters.h"
#include "seq2seq/model/scoring_model.h"
#include "seq2seq/model/stored_module.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/search/beam.h"
#include "seq2seq/search/translator.h"
#include "seq2seq/source/source.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

struct Flags {
  std::string model;
  std::string input;
  std::vector<std::string> precisions = {"fp32", "bf16", "int8", "plain"};
  std::vector<int> threads = {2, 1};
  int64_t lines = 1000;
};

// Beam size, and sentences per batch.
struct Setting {
  int64_t beam;
  int64_t batch;
};

constexpr Setting kSettings[] = {{5, 64}, {5, 1}, {1, 64}, {1, 1}};

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Counts the rows of the decoder's time steps.
class CountingScorer : public Scorer {
 public:
  CountingScorer(std::unique_ptr<Scorer> scorer, int64_t& rows)
      : scorer_(std::move(scorer)), rows_(rows) {}

  int64_t batch() const override { return scorer_->batch(); }
  StepScores Step(absl::Span<const Extension> rows) override {
    rows_ += static_cast<int64_t>(rows.size());
    return scorer_->Step(rows);
  }
  absl::Span<const float> Attention(size_t row) const override { return scorer_->Attention(row); }

 private:
  std::unique_ptr<Scorer> scorer_;
  int64_t& rows_;
};

// The work of a search in matrix products.
struct Work {
  double per_source_token = 0;  // Floating-point operations.
  double per_row = 0;
  double source_tokens = 0;
  double rows = 0;

  double operations() const { return per_source_token * source_tokens + per_row * rows; }
};

Work CountWork(const StoredModel& stored, const Model& model,
               const std::vector<SourceInput>& sources, const SearchOptions& options) {
  Work work;
  for (const auto& [name, tensor] : Parameters(*model)) {
    if (tensor.dim() != 2 || absl::EndsWith(name, "peephole")) continue;
    const bool of_source =
        absl::StartsWith(name, "encoder.") || absl::StrContains(name, "attention.projection");
    const bool table = absl::StrContains(name, "embedding.weight");
    const bool output = table && stored.options.decoder.tied_embeddings && !of_source;
    if ((table && !output) || absl::StartsWith(name, "bridge.")) continue;
    (of_source ? work.per_source_token : work.per_row) += 2 * static_cast<double>(tensor.numel());
  }
  const auto scoring = MakeScoringModel(model, torch::kCPU, Precision::kFp32);
  int64_t rows = 0;
  constexpr size_t kBatch = 64;
  for (size_t begin = 0; begin < sources.size(); begin += kBatch) {
    std::vector<const SourceInput*> batch;
    std::vector<SearchTask> tasks;
    for (size_t i = begin; i < std::min(begin + kBatch, sources.size()); ++i) {
      const auto length = static_cast<int64_t>(sources[i].ids.size());
      batch.push_back(&sources[i]);
      tasks.emplace_back();
      tasks.back().max_length = MaxLength(length, options);
      work.source_tokens += static_cast<double>(length + 1);
    }
    CountingScorer scorer(scoring->Begin(batch, {}), rows);
    BeamSearch(scorer, tasks, options);
  }
  work.rows = static_cast<double>(rows);
  return work;
}

// Operations per second of products of `rows` rows with a matrix of W1's largest cell.
double ProductRate(Precision precision, int64_t rows) {
  constexpr int64_t kInner = 1024, kColumns = 2048;
  const Buffer a(rows, kInner), b(kInner, kColumns), c(rows, kColumns);
  Clear(a.view());
  Clear(b.view());
  const PackedMatrix packed = PackedMatrix::Pack(b.view(), precision);
  const double operations = 2.0 * static_cast<double>(rows * kInner * kColumns);
  const int times = std::max(1, static_cast<int>(2e9 / operations));
  std::vector<double> rates;
  for (int round = 0; round < 7; ++round) {
    const double start = Now();
    for (int i = 0; i < times; ++i) Multiply(a.view(), packed, c.view());
    rates.push_back(operations * times / (Now() - start));
  }
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

// The model in LibTorch operations.
absl::StatusOr<Translator> LoadPlain(const StoredModel& stored) {
  const ComputeGuard guard({.fused = false});
  auto model = LoadScoringModel(stored, "cpu", Precision::kFp32);
  if (!model.ok()) return model.status();
  const auto source = Tokenizer::Load(stored.run.SourceTokenizer());
  if (!source.ok()) return source.status();
  auto target = Tokenizer::Load(stored.run.TargetTokenizer());
  if (!target.ok()) return target.status();
  return Translator(*std::move(model), MakeSource({}, *source, *target), *std::move(target));
}

absl::Status Run(const Flags& flags) {
  auto lines = ReadLines(flags.input);
  if (!lines.ok()) return lines.status();
  lines->resize(std::min(lines->size(), static_cast<size_t>(flags.lines)));
  const auto stored = FindModel(flags.model);
  if (!stored.ok()) return stored.status();
  const auto model = LoadModel(*stored);
  if (!model.ok()) return model.status();
  const auto tokenizer = Tokenizer::Load(stored->run.SourceTokenizer());
  if (!tokenizer.ok()) return tokenizer.status();
  const std::unique_ptr<Source> source = MakeSource({}, *tokenizer, *tokenizer);
  std::vector<SourceInput> sources;
  for (const std::string& line : *lines) {
    std::optional<SourceInput> input = source->Read(line, 1000);
    if (input) sources.push_back(*std::move(input));
  }
  std::stable_sort(sources.begin(), sources.end(), [](const SourceInput& a, const SourceInput& b) {
    return a.ids.size() < b.ids.size();
  });
  absl::PrintF("%s\n%d lines of %s\n\n", DescribeProcessor(), lines->size(), flags.input);
  absl::PrintF("| threads | precision | beam | batch | sentences/s | of the limit |\n");
  absl::PrintF("|---|---|---|---|---|---|\n");
  for (const int threads : flags.threads) {
    torch::set_num_threads(threads);
    for (const std::string& name : flags.precisions) {
      const bool plain = name == "plain";
      const Precision precision =
          plain ? Precision::kFp32 : EnumFromText<Precision>(name).value_or(Precision::kFp32);
      if (!HasPrecision(precision)) {
        absl::PrintF("| %d | %s | not on this processor | | | |\n", threads, name);
        continue;
      }
      auto translator = plain ? LoadPlain(*stored)
                              : Translator::Load({flags.model}, {.precision = ChoiceOf(precision)});
      if (!translator.ok()) return translator.status();
      for (const Setting& setting : kSettings) {
        SearchOptions options;
        options.beam = setting.beam;
        *translator = translator->With({.batch_size = setting.batch});
        // Warm-up: plans products, and fills caches.
        const std::vector<std::string> some(lines->begin(),
                                            lines->begin() + std::min<size_t>(lines->size(), 128));
        if (const auto warm = translator->Translate(some, options); !warm.ok())
          return warm.status();
        const double start = Now();
        if (const auto done = translator->Translate(*lines, options); !done.ok())
          return done.status();
        const double rate = static_cast<double>(lines->size()) / (Now() - start);
        absl::PrintF("| %d | %s | %d | %d | %.1f |", threads, name, setting.beam, setting.batch,
                     rate);
        if (plain) {
          absl::PrintF(" |\n");
          continue;
        }
        const Work work = CountWork(*stored, *model, sources, options);
        const double limit =
            static_cast<double>(lines->size()) /
            (work.operations() /
             ProductRate(precision, std::max<int64_t>(setting.beam * setting.batch, 1)));
        absl::PrintF(" %.2f of %.0f |\n", rate / limit, limit);
      }
    }
  }
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  absl::PrintF("\npeak memory of all together %.0f MB\n",
               static_cast<double>(usage.ru_maxrss) / 1024);
  return absl::OkStatus();
}

}  // namespace
}  // namespace seq2seq

int main(int argc, char** argv) {
  seq2seq::Flags flags;
  CLI::App app("Measures the speed at which a trained model translates the lines of a file.",
               "search_bench");
  app.add_option("-m,--model", flags.model, "A run folder")->required();
  app.add_option("-i,--input", flags.input, "Text, a sentence per line")->required();
  app.add_option("--lines", flags.lines, "Maximum number of lines")->capture_default_str();
  app.add_option("--precision", flags.precisions, "Of fp32, bf16, int8 and plain")->delimiter(',');
  app.add_option("--threads", flags.threads, "Numbers of threads")->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  if (!seq2seq::LimitToEnvironment()) return 1;
  const absl::Status status = seq2seq::Run(flags);
  if (status.ok()) return 0;
  absl::FPrintF(stderr, "search_bench: %s\n", status.message());
  return 1;
}
