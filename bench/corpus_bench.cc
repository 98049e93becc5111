// Benchmark of encoding a corpus into its cache, with several numbers of threads, compared with
// reading its lines alone.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include <CLI/CLI.hpp>

#include "bench/processor.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/pair_reader.h"
#include "seq2seq/data/source_encoder.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

struct Flags {
  std::vector<std::string> input;
  std::string tokenizer;
  std::string cache = "corpus_bench.cache";
  std::vector<int> threads = {1, 2};
  int rounds = 5;
};

absl::Status ReadAll(const std::vector<std::string>& files) {
  SEQ2SEQ_ASSIGN_OR_RETURN(PairReader reader, PairReader::Open(files, true, kMaxLineBytes));
  std::string source;
  std::string target;
  while (true) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const bool more, reader.Next(source, target));
    if (!more) return absl::OkStatus();
  }
}

// Seconds that `run` takes.
absl::StatusOr<double> Time(const std::function<absl::Status()>& run) {
  const auto start = std::chrono::steady_clock::now();
  SEQ2SEQ_RETURN_IF_ERROR(run());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

absl::Status Run(const Flags& flags) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const Tokenizer tokenizer, Tokenizer::Load(flags.tokenizer));
  int64_t lines = 0;
  std::vector<std::string> names = {"reading alone"};
  std::vector<std::function<absl::Status()>> runs = {[&] { return ReadAll(flags.input); }};
  for (const int threads : flags.threads) {
    names.push_back(absl::StrCat(threads));
    runs.push_back([&, threads]() -> absl::Status {
      SEQ2SEQ_ASSIGN_OR_RETURN(
          const Corpus corpus,
          Corpus::Build(flags.input, EncodeText(tokenizer), tokenizer, {}, flags.cache, threads));
      lines = corpus.counts().pairs;
      return RemovePath(flags.cache);
    });
  }
  std::vector<std::vector<double>> seconds(runs.size());
  for (int round = 0; round < flags.rounds; ++round) {  // They take turns.
    for (size_t i = 0; i < runs.size(); ++i) {
      SEQ2SEQ_ASSIGN_OR_RETURN(seconds[i].emplace_back(), Time(runs[i]));
    }
  }
  absl::PrintF("%s\n%d lines, medians of %d rounds\n\n", DescribeProcessor(), lines, flags.rounds);
  absl::PrintF("| threads | lines/s |\n|---|---|\n");
  for (size_t i = 0; i < runs.size(); ++i) {
    std::sort(seconds[i].begin(), seconds[i].end());
    absl::PrintF("| %s | %.0f |\n", names[i],
                 static_cast<double>(lines) / seconds[i][seconds[i].size() / 2]);
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace seq2seq

int main(int argc, char** argv) {
  seq2seq::Flags flags;
  CLI::App app("Measures the speed at which a corpus is encoded into its cache.", "corpus_bench");
  app.add_option("-i,--input", flags.input, "SOURCE TARGET, or a table")
      ->required()
      ->expected(1, 2);
  app.add_option("-t,--tokenizer", flags.tokenizer, "A SentencePiece model of both sides")
      ->required();
  app.add_option("--cache", flags.cache, "The file to write, which is removed")
      ->capture_default_str();
  app.add_option("--threads", flags.threads, "Numbers of threads")->delimiter(',');
  app.add_option("--rounds", flags.rounds, "Rounds, in which they take turns")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = seq2seq::Run(flags);
  if (!status.ok()) absl::FPrintF(stderr, "corpus_bench: %s\n", status.message());
  return status.ok() ? 0 : 1;
}
