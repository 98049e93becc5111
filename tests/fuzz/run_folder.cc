// A run folder: config.yaml up to the line "...", which ends a document of YAML, and
// model.safetensors behind it.
#include "seq2seq/inference/run_folder.h"

#include <filesystem>
#include <string>

#include <torch/torch.h>

#include "seq2seq/data/batch.h"
#include "seq2seq/model/stored_module.h"
#include "tests/fuzz/input.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

constexpr char kEnd[] = "\n...\n";

void Fuzz(const std::string& input) {
  static const TemporaryFolder folder;
  const RunFolder run = {folder.path()};
  static const bool made = std::filesystem::create_directory(run.Step(1));
  Require(made || std::filesystem::exists(run.Step(1)), "no folder");
  const size_t end = input.find(kEnd);
  if (end == std::string::npos) return;
  folder.Write("config.yaml", input.substr(0, end));
  folder.Write("step-1/model.safetensors", input.substr(end + sizeof kEnd - 1));
  const absl::StatusOr<StoredModel> stored = FindModel(run.Step(1));
  if (!stored.ok()) return;
  absl::StatusOr<Model> model = LoadModel(*stored);
  if (!model.ok() || stored->options.source != SourceKind::kText) return;
  const torch::NoGradGuard no_grad;
  (*model)->forward(MakeBatch({{{kUnknownId, kEosId}, {kUnknownId, kEosId}}}), TeacherForcing());
}

}  // namespace
}  // namespace seq2seq

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  seq2seq::Fuzz(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
