// `seq2seq export`: a model for decoding only, with quantised weights and a lexical shortlist.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/search/shortlist.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/hand_over.h"
#include "seq2seq/tools/libtorch.h"
#include "seq2seq/tools/model_folder.h"
#include "seq2seq/tools/option_flags.h"
#include "seq2seq/weights/quantized_weights.h"

namespace seq2seq {
namespace {

struct ExportFlags {
  std::string model;
  std::string output;
  Precision precision = Precision::kFp32;
  bool shortlist = false;
  ShortlistSize size;
  std::vector<std::string> corpus;  // Instead of data.train.
};

// Bytes as "12.3 MB".
std::string Megabytes(uintmax_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

absl::Status RunExport(const ExportFlags& flags) {
  if (flags.shortlist && kLibTorch == nullptr) return HandOver("--shortlist needs LibTorch");
  SEQ2SEQ_ASSIGN_OR_RETURN(StoredModel stored, FindModel(flags.model));
  stored.step = std::filesystem::canonical(stored.step);  // Training may move the link.
  SEQ2SEQ_ASSIGN_OR_RETURN(const ArrayMap weights, ReadWeights(stored));
  const uintmax_t bytes_before = std::filesystem::file_size(stored.step + kWeightsFile);
  SEQ2SEQ_RETURN_IF_ERROR(WriteModelFolder(
      flags.output, stored, QuantizeWeights(weights, flags.precision),
      [&](const RunFolder& folder) -> absl::Status {
        if (!flags.shortlist) return absl::OkStatus();
        SEQ2SEQ_ASSIGN_OR_RETURN(
            const Shortlist shortlist,
            kLibTorch->learn_shortlist(stored, flags.corpus, flags.size, folder.path));
        return shortlist.Save(folder.Shortlist());
      }));
  SEQ2SEQ_ASSIGN_OR_RETURN(const StoredModel exported, FindModel(flags.output));
  spdlog::info("{}: {} of weights in {}, {} before", flags.output,
               Megabytes(std::filesystem::file_size(exported.step + kWeightsFile)),
               EnumText(flags.precision), Megabytes(bytes_before));
  return absl::OkStatus();
}

}  // namespace

void AddExport(CLI::App& program, absl::Status* status) {
  CLI::App* command = program.add_subcommand(
      "export", "Writes a model for decoding only: quantised weights, a lexical shortlist");
  auto flags = std::make_shared<ExportFlags>();
  command->add_option("-m,--model", flags->model, "A run folder, or one of its checkpoints")
      ->option_text("RUN")
      ->required();
  command
      ->add_option("-o,--output", flags->output,
                   "Folder to write, which must not exist; decode -m and serve -m take it")
      ->option_text("DIR")
      ->required();
  AddEnumFlag<Precision>(
      *command, "--precision", flags->precision,
      "Storage format of weight matrices, and default precision of decode: bf16 and int8 take a "
      "half and a quarter of the memory")
      ->default_str("fp32");
  CLI::Option* shortlist = command->add_flag(
      "--shortlist", flags->shortlist,
      "Learn a lexical shortlist from the training corpus, of which 3,000 sentences are translated "
      "for it: decoding computes logits only for likely translations of each sentence");
  command
      ->add_option("--shortlist-translations", flags->size.translations,
                   "Target subwords in the shortlist for each source subword, besides the frequent "
                   "ones")
      ->check(CLI::Range(1, 10'000))
      ->needs(shortlist)
      ->capture_default_str();
  command
      ->add_option("--shortlist-frequent", flags->size.frequent,
                   "Target subwords that the model generates most, which are in every shortlist")
      ->check(CLI::Range(1, 1'000'000))
      ->needs(shortlist)
      ->capture_default_str();
  command
      ->add_option("--corpus", flags->corpus,
                   "Corpus for the shortlist instead of data.train of the run: SOURCE TARGET, or a "
                   "TABLE of both")
      ->option_text("FILE ...")
      ->needs(shortlist)
      ->expected(1, 2);
  command->callback([flags, status] { *status = RunExport(*flags); });
}

}  // namespace seq2seq
