#include "seq2seq/tools/hand_over.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include <CLI/CLI.hpp>

namespace seq2seq {
namespace {

constexpr char kName[] = "seq2seq-torch";

char** arguments_of_main = nullptr;

// The folder of this executable, without links.
std::filesystem::path ProgramFolder() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
}

// The folder of seq2seq-torch where it is installed.
std::filesystem::path InstalledFolder() {
  return (ProgramFolder() / SEQ2SEQ_TORCH_FOLDER).lexically_normal();
}

}  // namespace

void KeepArguments(char** arguments) { arguments_of_main = arguments; }

std::string TorchProgram() {
  for (const std::filesystem::path& folder : {ProgramFolder(), InstalledFolder()}) {
    const std::string path = folder / kName;
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

absl::Status HandOver(absl::string_view need) {
  const std::string program = TorchProgram();
  if (program.empty()) {
    return absl::UnimplementedError(
        absl::StrCat(need, ": there is no ", kName, " in ", ProgramFolder().string(), " or ",
                     InstalledFolder().string(),
                     "; it is in the package seq2seq-training, CMake's component training"));
  }
  execv(program.c_str(), arguments_of_main);
  return absl::ErrnoToStatus(errno, absl::StrCat(program, ": cannot run"));
}

void HandOverCommand(CLI::App& command, absl::Status* status) {
  command.set_help_flag();
  command.prefix_command();
  command.callback(
      [&command, status] { *status = HandOver(command.get_name() + " needs LibTorch"); });
}

}  // namespace seq2seq
