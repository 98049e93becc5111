#include "seq2seq/tools/model_flags.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "seq2seq/base/file.h"
#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/model/run_folder.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/option_flags.h"

namespace seq2seq {

void AddModelFlags(CLI::App& command, ModelFlags& flags) {
  command
      .add_option("-m,--model", flags.models,
                  "A run folder, or one of its steps; repeat for an ensemble")
      ->option_text("RUN")
      ->allow_extra_args(false)
      ->required();
  AddEnumFlag<EnsembleMean>(command, "--ensemble", flags.ensemble,
                            "What of several models is averaged")
      ->default_str(EnumTexts(flags.ensemble)[static_cast<size_t>(flags.ensemble)]);
  AddEnumFlag<PrecisionChoice>(
      command, "--precision", flags.precision,
      "Of matrix products: bf16 and int8 are faster, and lose a little; auto is bf16 "
      "for weights of fp32 where the processor has it")
      ->default_str("as the weights are stored");
  command.add_flag("--no-shortlist", flags.no_shortlist,
                   "Do not use the shortlist that the first model was exported with");
  command
      .add_option("--language-model", flags.language_model,
                  "A run whose model.source is none, trained on text of the target with its "
                  "tokenizer, that search also listens to; see --language-model-weight")
      ->option_text("RUN");
  command.add_option("--batch-size", flags.batch_size, "Sentences searched together at most")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command
      .add_option("--batch-tokens", flags.batch_tokens,
                  "Pieces of their sources together at most, or of what texts begin with, padding "
                  "included")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  command
      .add_option(
          "--batch-scores", flags.batch_scores,
          "Scores of a step together at most, of 4 bytes: hypotheses of all sentences times "
          "pieces of the target")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  command
      .add_option("--memory", flags.memory,
                  "Bytes that the program may take: a batch has fewer sentences where it is "
                  "estimated to take more. 0 is nine tenths of what the control group, or the "
                  "machine, has; on CUDA, whose memory it then is, no bound")
      ->check(CLI::Range(int64_t{0}, std::numeric_limits<int64_t>::max()))
      ->capture_default_str();
  command
      .add_option("--max-line-length", flags.max_line_length,
                  "Longer lines are cut to so many pieces")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command
      .add_option("--max-line-bytes", flags.max_line_bytes,
                  "A longer line is an error, before it fills the memory")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  command
      .add_option("--max-pixels", flags.max_pixels,
                  "Of an image, or numbers in a file of features; larger ones are not read. Each "
                  "pixel takes 12 bytes at most")
      ->check(CLI::Range(1, 1 << 30))
      ->capture_default_str();
  command.add_flag(
      "--allow-scripts", flags.allow_scripts,
      "Run a model's network of images in TorchScript: code of whoever made the model");
  command.add_option("--threads", flags.threads, "Threads to compute with; 0 is one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command.add_option("--device", flags.device, "auto, cpu, cuda, cuda:1, …")->capture_default_str();
}

namespace {

// What LibTorch, tokenizers, and lines that are read ahead take, in bytes: measured, see "Memory"
// in bench/README.md.
constexpr double kProgramBytes = 180e6;

// What of --memory is left for a batch; 0 where there is no bound.
absl::StatusOr<double> BatchBytes(const ModelFlags& flags, torch::Device device,
                                  const Translator& translator) {
  const int64_t memory = flags.memory == 0 && device.is_cpu() ? UsableMemory() : flags.memory;
  if (memory == 0) return 0;
  const double held = kProgramBytes + translator.weight_bytes();
  if (static_cast<double>(memory) > held) return static_cast<double>(memory) - held;
  return absl::InvalidArgumentError(
      absl::StrCat("--memory: expected more than the ", static_cast<int64_t>(held),
                   " bytes that the program and the weights take, found ", memory));
}

}  // namespace

absl::StatusOr<Translator> LoadTranslator(const ModelFlags& flags) {
  SEQ2SEQ_RETURN_IF_ERROR(NamingFlag(Validate(flags.limits)));
  SEQ2SEQ_ASSIGN_OR_RETURN(const torch::Device device, ParseDevice(flags.device));
  SetUpThreads(flags.threads);
  SEQ2SEQ_ASSIGN_OR_RETURN(
      Translator translator,
      Translator::Load(flags.models,
                       {device, flags.precision, flags.ensemble, !flags.no_shortlist,
                        flags.language_model, flags.allow_scripts, flags.max_pixels}));
  for (const std::string& note : translator.notes()) spdlog::warn("warning: {}", note);
  translator.batch_size = flags.batch_size;
  translator.batch_tokens = flags.batch_tokens;
  translator.batch_scores = flags.batch_scores;
  SEQ2SEQ_ASSIGN_OR_RETURN(translator.batch_bytes, BatchBytes(flags, device, translator));
  translator.limits = flags.limits;
  translator.max_line_length = flags.max_line_length;
  return translator;
}

absl::StatusOr<std::string> ModelSettings(const ModelFlags& flags) {
  std::string settings;
  std::vector<std::string> models = flags.models;
  if (!flags.language_model.empty()) models.push_back(flags.language_model);
  for (const std::string& model : models) {
    SEQ2SEQ_ASSIGN_OR_RETURN(StoredModel stored, FindModel(model));
    Fingerprint fingerprint;
    fingerprint.Add(PrintOptions(ListOptions(stored.options)));
    for (const std::string& file : {stored.step + kWeightsFile, stored.run.SourceTokenizer(),
                                    stored.run.TargetTokenizer(), stored.run.Shortlist()}) {
      std::error_code ignored;
      if (!std::filesystem::exists(file, ignored)) continue;
      SEQ2SEQ_ASSIGN_OR_RETURN(const MappedFile bytes, MappedFile::Open(file));
      constexpr size_t kChunk = size_t{1} << 20;
      for (size_t begin = 0; begin < bytes.size(); begin += kChunk) {
        const absl::string_view chunk(bytes.data() + begin, std::min(kChunk, bytes.size() - begin));
        fingerprint.Add(chunk);
        bytes.Release(chunk.data(), chunk.size());
      }
    }
    absl::StrAppend(&settings, "model: ", absl::Hex(fingerprint.value()), "\n");
  }
  const auto precision = flags.precision
                             ? EnumTexts(PrecisionChoice())[static_cast<size_t>(*flags.precision)]
                             : "as stored";
  absl::StrAppend(
      &settings, "ensemble: ", EnumTexts(flags.ensemble)[static_cast<size_t>(flags.ensemble)],
      "\nprecision: ", precision, "\nno_shortlist: ", flags.no_shortlist,
      "\nlanguage_model: ", !flags.language_model.empty(), "\nbatch_size: ", flags.batch_size,
      "\nbatch_tokens: ", flags.batch_tokens, "\nbatch_scores: ", flags.batch_scores,
      "\nmemory: ", flags.memory, "\nmax_line_length: ", flags.max_line_length, "\n");
  return settings;
}

}  // namespace seq2seq
