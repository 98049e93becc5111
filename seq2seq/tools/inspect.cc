// `seq2seq inspect`: prints the configuration and parameters in a run folder or a weights file.
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/utf8.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/weights/parameter_table.h"
#include "seq2seq/weights/safetensors.h"

namespace seq2seq {
namespace {

absl::Status RunInspect(const std::string& path) {
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

}  // namespace

void AddInspect(CLI::App& program, absl::Status* status) {
  CLI::App* inspect =
      program.add_subcommand("inspect", "Shows the configuration and parameters of a model");
  auto path = std::make_shared<std::string>();
  inspect->add_option("path", *path, "A run folder, one of its checkpoints, or a safetensors file")
      ->option_text("RUN|FILE")
      ->required();
  inspect->callback([path, status] { *status = RunInspect(*path); });
}

}  // namespace seq2seq
