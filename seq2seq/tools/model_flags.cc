#include "seq2seq/tools/model_flags.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/heap.h"
#include "seq2seq/base/memory_limit.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/tools/hand_over.h"
#include "seq2seq/tools/libtorch.h"
#include "seq2seq/tools/machine.h"
#include "seq2seq/tools/option_flags.h"

namespace seq2seq {

void AddModelFlags(CLI::App& command, ModelFlags& flags) {
  command
      .add_option("-m,--model", flags.models,
                  "A run folder, or one of its checkpoints; repeat for an ensemble")
      ->option_text("RUN")
      ->allow_extra_args(false)
      ->required();
  AddEnumFlag<EnsembleMean>(command, "--ensemble", flags.ensemble,
                            "Quantity that is averaged over the models of an ensemble")
      ->default_str(EnumText(flags.ensemble));
  command
      .add_option("--model-weight", flags.model_weights,
                  "Weight of a model in an ensemble, more than 0; one for each --model, in their "
                  "order. Without them all weigh the same")
      ->option_text("W")
      ->allow_extra_args(false);
  AddEnumFlag<PrecisionChoice>(
      command, "--precision", flags.precision,
      "Precision of matrix products: bf16 and int8 are faster and slightly less accurate; auto is "
      "bf16 for fp32 weights where the processor supports it")
      ->default_str("as the weights are stored");
  command.add_flag("--no-shortlist", flags.no_shortlist,
                   "Ignore the lexical shortlist that the first model was exported with");
  command
      .add_option("--language-model", flags.language_model,
                  "Language model for shallow fusion: a run with model.source none, trained on "
                  "target text with the same tokenizer; see --language-model-weight")
      ->option_text("RUN");
  command
      .add_option("--lexicon", flags.lexicon,
                  "Translations of words for --replace-unknown: word<TAB>translation on each line, "
                  "as seq2seq align --lexicon writes them")
      ->option_text("FILE");
  command.add_option("--batch-size", flags.batch_size, "Maximum number of sentences per batch")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command
      .add_option(
          "--batch-tokens", flags.batch_tokens,
          "Maximum number of source subwords per batch, or of prompt subwords for a language "
          "model, padding included")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  command
      .add_option(
          "--batch-scores", flags.batch_scores,
          "Maximum number of scores per batch and time step, 4 bytes each: hypotheses of all "
          "sentences times target subwords")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  command
      .add_option("--memory", flags.memory,
                  "Memory limit in bytes: a batch that is estimated to exceed it gets fewer "
                  "sentences. 0 is nine tenths of what the control group, or the machine, has; on "
                  "CUDA, where device memory is meant, 0 is no limit")
      ->check(CLI::Range(int64_t{0}, std::numeric_limits<int64_t>::max()))
      ->capture_default_str();
  command
      .add_option("--max-line-length", flags.max_line_length,
                  "Maximum number of subwords per line; longer lines are truncated")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command
      .add_option("--max-line-bytes", flags.max_line_bytes,
                  "Maximum bytes per line; a longer line is an error, before it is held in memory")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  command
      .add_option("--max-pixels", flags.max_pixels,
                  "Maximum pixels of an image, or values in a feature file; larger ones are not "
                  "read. Each pixel takes at most 12 bytes")
      ->check(CLI::Range(1, 1 << 30))
      ->capture_default_str();
  command.add_flag(
      "--allow-scripts", flags.allow_scripts,
      "Run a model's image network in TorchScript: this executes code of the model's author");
  command.add_option("--threads", flags.threads, "Number of threads; 0 is one per core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command
      .add_option("--device", flags.device,
                  "Device: auto, cpu, cuda, cuda:1, …; auto is cuda where LibTorch has it")
      ->capture_default_str();
}

namespace {

// The device of --device by its full name. Hands over for any other than the CPU, and for auto if
// the machine has NVIDIA's driver.
absl::StatusOr<std::string> FindDevice(const std::string& name) {
  if (kLibTorch != nullptr) return kLibTorch->find_device(name);
  std::error_code ignored;
  const bool gpu = std::filesystem::exists("/dev/nvidiactl", ignored) && !TorchProgram().empty();
  if (name == "cpu" || name == "cpu:0" || (name == "auto" && !gpu)) return "cpu";
  return HandOver(absl::StrCat("--device ", name, " needs LibTorch"));
}

// Bytes of --memory that are left for a batch; 0 if there is no limit.
absl::StatusOr<double> BatchBytes(const ModelFlags& flags, bool on_cpu,
                                  const Translator& translator) {
  const int64_t memory = flags.memory == 0 && on_cpu ? UsableMemory() : flags.memory;
  if (memory == 0) return 0;
  const double held = kProgramBytes + translator.weight_bytes();
  if (static_cast<double>(memory) > held) return static_cast<double>(memory) - held;
  return absl::InvalidArgumentError(
      absl::StrCat("--memory: expected more than the ", static_cast<int64_t>(held),
                   " bytes that the program and the weights take, found ", memory));
}

// Adds the bytes of a file, if it is there.
absl::Status AddFile(const std::string& file, Fingerprint& fingerprint) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return absl::OkStatus();
  SEQ2SEQ_ASSIGN_OR_RETURN(const MappedFile bytes, MappedFile::Open(file));
  constexpr size_t kChunk = size_t{1} << 20;
  for (size_t begin = 0; begin < bytes.size(); begin += kChunk) {
    const absl::string_view chunk(bytes.data() + begin, std::min(kChunk, bytes.size() - begin));
    fingerprint.Add(chunk);
    bytes.Release(chunk.data(), chunk.size());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Translator> LoadTranslator(const ModelFlags& flags) {
  SEQ2SEQ_RETURN_IF_ERROR(NamingFlag(Validate(flags.limits)));
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string device, FindDevice(flags.device));
  SetUpThreads(flags.threads);
  if (flags.allow_scripts) KeepFreedMemory();
  LoadOptions load = {.device = device,
                      .precision = flags.precision,
                      .mean = flags.ensemble,
                      .weights = flags.model_weights,
                      .shortlist = !flags.no_shortlist,
                      .language_model = flags.language_model,
                      .lexicon = flags.lexicon,
                      .allow_scripts = flags.allow_scripts,
                      .max_pixels = flags.max_pixels,
                      .translator = {.batch_size = flags.batch_size,
                                     .batch_tokens = flags.batch_tokens,
                                     .batch_scores = flags.batch_scores,
                                     .max_line_length = flags.max_line_length,
                                     .limits = flags.limits}};
  if (kLibTorch != nullptr) load.load_module = kLibTorch->load_module;
  const absl::StatusOr<Translator> translator = Translator::Load(flags.models, load);
  if (kLibTorch == nullptr && absl::IsUnimplemented(translator.status()))
    return HandOver(translator.status().message());
  SEQ2SEQ_RETURN_IF_ERROR(translator.status());
  for (const std::string& note : translator->notes()) spdlog::warn("warning: {}", note);
  TranslatorOptions options = translator->options();
  const bool on_cpu = absl::StartsWith(device, "cpu");
  SEQ2SEQ_ASSIGN_OR_RETURN(options.batch_bytes, BatchBytes(flags, on_cpu, *translator));
  return translator->With(options);
}

absl::StatusOr<std::string> ModelSettings(const ModelFlags& flags) {
  std::string settings;
  std::vector<std::string> models = flags.models;
  if (!flags.language_model.empty()) models.push_back(flags.language_model);
  for (const std::string& model : models) {
    SEQ2SEQ_ASSIGN_OR_RETURN(StoredModel stored, FindModel(model));
    Fingerprint fingerprint;
    for (const Option& option : ListOptions(stored.options))
      fingerprint.Add(absl::StrCat(option.key, ": ", OptionText(option), "\n"));
    for (const std::string& file : {stored.step + kWeightsFile, stored.run.SourceTokenizer(),
                                    stored.run.TargetTokenizer(), stored.run.Shortlist()}) {
      SEQ2SEQ_RETURN_IF_ERROR(AddFile(file, fingerprint));
    }
    absl::StrAppend(&settings, "model: ", absl::Hex(fingerprint.value()), "\n");
  }
  Fingerprint lexicon;
  if (!flags.lexicon.empty()) SEQ2SEQ_RETURN_IF_ERROR(AddFile(flags.lexicon, lexicon));
  const auto precision = flags.precision ? EnumText(*flags.precision) : "as stored";
  absl::StrAppend(&settings, "ensemble: ", EnumText(flags.ensemble),
                  "\nmodel_weights: ", absl::StrJoin(flags.model_weights, " "),
                  "\nprecision: ", precision, "\nno_shortlist: ", flags.no_shortlist,
                  "\nlanguage_model: ", !flags.language_model.empty(), "\nlexicon: ", flags.lexicon,
                  "\nbatch_size: ", flags.batch_size, "\nbatch_tokens: ", flags.batch_tokens,
                  "\nbatch_scores: ", flags.batch_scores, "\nmemory: ", flags.memory,
                  "\nmax_line_length: ", flags.max_line_length, "\n");
  return settings;
}

}  // namespace seq2seq
