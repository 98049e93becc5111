// `seq2seq inspect`: prints the configuration and parameters in a run folder or a weights file, or
// the layers of a model that a configuration describes.
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include <CLI/CLI.hpp>

#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/utf8.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/hand_over.h"
#include "seq2seq/tools/libtorch.h"
#include "seq2seq/weights/parameter_table.h"
#include "seq2seq/weights/safetensors.h"

namespace seq2seq {
namespace {

struct InspectFlags {
  std::string path;
  std::vector<std::string> configs;
  std::vector<std::string> settings;
};

absl::Status ShowLayers(const InspectFlags& flags) {
  if (kLibTorch == nullptr) return HandOver("--config needs LibTorch");
  // The first word is a setting here, like those after it.
  std::vector<std::string> settings = flags.settings;
  if (!flags.path.empty()) settings.insert(settings.begin(), flags.path);
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string text,
                           kLibTorch->summarize_config(flags.configs, settings));
  std::cout << text;
  return absl::OkStatus();
}

absl::Status ShowStored(const std::string& path) {
  if (!std::filesystem::is_directory(path)) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const ArrayMap tensors, ReadArrays(path));
    std::cout << ParameterTable(tensors);
    return absl::OkStatus();
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const StoredModel stored, FindModel(path));
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string config, ReadFile(stored.run.Config()));
  SEQ2SEQ_ASSIGN_OR_RETURN(const ArrayMap tensors, ReadArrays(stored.step + kWeightsFile));
  std::cout << "# " << stored.run.Config() << "\n" << Printable(config, "\n\t") << "\n";
  std::cout << "# " << std::filesystem::canonical(stored.step).string() << kWeightsFile << "\n";
  std::cout << ParameterTable(tensors);
  return absl::OkStatus();
}

absl::Status RunInspect(const InspectFlags& flags) {
  if (!flags.configs.empty()) return ShowLayers(flags);
  if (flags.path.empty()) {
    return absl::InvalidArgumentError("expected a run folder, a safetensors file, or --config");
  }
  if (!flags.settings.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", flags.settings[0], "': settings are for --config"));
  }
  return ShowStored(flags.path);
}

}  // namespace

void AddInspect(CLI::App& program, absl::Status* status) {
  CLI::App* inspect =
      program.add_subcommand("inspect", "Shows the configuration and parameters of a model");
  auto flags = std::make_shared<InspectFlags>();
  inspect
      ->add_option("path", flags->path,
                   "A run folder, one of its checkpoints, or a safetensors file")
      ->option_text("RUN|FILE");
  inspect
      ->add_option(
          "-c,--config", flags->configs,
          "Instead, a configuration as of `train`, repeated for several: prints the layers "
          "of its model with the shapes of their outputs and the counts of parameters")
      ->option_text("FILE")
      ->allow_extra_args(false);
  inspect->add_option("settings", flags->settings, "With --config: settings, as of `train`")
      ->option_text("key=value ...");
  inspect->callback([flags, status] { *status = RunInspect(*flags); });
}

}  // namespace seq2seq
