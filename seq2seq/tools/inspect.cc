// `seq2seq inspect`: what is in a run folder or a file of weights.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include <CLI/CLI.hpp>
#include <torch/torch.h>

#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/model/run_folder.h"
#include "seq2seq/model/weights.h"
#include "seq2seq/tools/command.h"

namespace seq2seq {
namespace {

// "12,345,678".
std::string Grouped(int64_t number) {
  const std::string digits = absl::StrCat(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

// The module that a parameter belongs to: "encoder.forward_0" of "encoder.forward_0.weight_ih".
std::string ModuleOf(const std::string& name) {
  const size_t dot = name.rfind('.');
  return dot == std::string::npos ? "" : name.substr(0, dot);
}

void PrintTensors(const TensorMap& tensors) {
  size_t width = 9;
  for (const auto& [name, tensor] : tensors) width = std::max(width, name.size());
  int64_t total = 0;
  std::string module;
  int64_t of_module = 0;
  const auto print_sum = [&] {
    if (of_module > 0)
      std::cout << absl::StrFormat("  %-*s  %18s  %14s\n", width, absl::StrCat("= ", module), "",
                                   Grouped(of_module));
    of_module = 0;
  };
  std::cout << absl::StrFormat("  %-*s  %18s  %14s\n", width, "parameter", "shape", "count");
  for (const auto& [name, tensor] : tensors) {
    if (ModuleOf(name) != module) print_sum();
    module = ModuleOf(name);
    of_module += tensor.numel();
    total += tensor.numel();
    std::cout << absl::StrFormat("  %-*s  %18s  %14s\n", width, name,
                                 absl::StrCat("[", absl::StrJoin(tensor.sizes(), ", "), "]"),
                                 Grouped(tensor.numel()));
  }
  print_sum();
  std::cout << absl::StrFormat("  %-*s  %18s  %14s\n", width, "total", "", Grouped(total));
}

absl::Status RunInspect(const std::string& path) {
  if (!std::filesystem::is_directory(path)) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const TensorMap tensors, ReadTensors(path));
    PrintTensors(tensors);
    return absl::OkStatus();
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const StoredModel stored, FindModel(path));
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string config, ReadFile(stored.run.Config()));
  SEQ2SEQ_ASSIGN_OR_RETURN(const TensorMap tensors, ReadTensors(stored.step + kWeightsFile));
  std::cout << "# " << stored.run.Config() << "\n" << config << "\n";
  std::cout << "# " << std::filesystem::canonical(stored.step).string() << kWeightsFile << "\n";
  PrintTensors(tensors);
  return absl::OkStatus();
}

}  // namespace

void AddInspect(CLI::App& program, absl::Status* status) {
  CLI::App* inspect =
      program.add_subcommand("inspect", "Shows the configuration and parameters of a model");
  auto path = std::make_shared<std::string>();
  inspect->add_option("path", *path, "A run folder, one of its steps, or a safetensors file")
      ->option_text("RUN|FILE")
      ->required();
  inspect->callback([path, status] {
    *status = RunInspect(*path);
    if (status->ok() && !std::cout.flush())
      *status = absl::DataLossError("standard output: cannot write");
  });
}

}  // namespace seq2seq
