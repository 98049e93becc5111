// The program `seq2seq`, in both executables: subcommands, logging and exit code. Results go to
// stdout, all else to stderr; the exit code is 0, or 1 after one line that describes the error.
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "seq2seq/base/closest.h"
#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/heap.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/utf8.h"
#if SEQ2SEQ_KERNELS
#include "seq2seq/kernels/instruction_set.h"
#endif
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/hand_over.h"
#include "seq2seq/tools/libtorch.h"
#include "seq2seq/tools/messages.h"

namespace {

// Starts the program anew with what libraries read from the environment when they are initialised,
// unless the user has chosen: it runs before they are, but the C library would forget variables
// that are set by then. Costs some 5 ms.
void ChooseEnvironment(int, char** arguments, char** environment) {
  // Waiting OpenMP threads sleep after a short spin: by default they spin long, which costs much of
  // the speed as soon as another process needs a core; without any, some is lost on a quiet
  // machine.
  static char spin[] = "GOMP_SPINCOUNT=5000";
  // c10d logs errors that it also returns, and which the program reports in its own words: where
  // LibTorch is built with glog, and where it is not.
  static char glog[] = "GLOG_minloglevel=3";
  static char torch_log[] = "TORCH_CPP_LOG_LEVEL=FATAL";
  struct Choice {
    char* variable;
    bool made;  // By the user.
  };
  Choice choices[] = {{spin, false}, {glog, false}, {torch_log, false}};
  const auto names = [](const char* variable, const char* assignment) {
    return strncmp(variable, assignment, strcspn(assignment, "=") + 1) == 0;
  };
  constexpr size_t kMost = 4096;
  static char* variables[kMost];
  size_t count = 0;
  for (; environment[count] != nullptr && count + std::size(choices) + 1 < kMost; ++count) {
    const char* variable = environment[count];
    for (Choice& choice : choices) choice.made = choice.made || names(variable, choice.variable);
    if (names(variable, "OMP_WAIT_POLICY=")) choices[0].made = true;
    // Valgrind would lose the program.
    if (names(variable, "LD_PRELOAD=") && strstr(variable, "vgpreload")) return;
    variables[count] = environment[count];
  }
  // Without a base address the loader itself was started, with the program as its argument.
  if (environment[count] != nullptr || getauxval(AT_BASE) == 0) return;
  const size_t given = count;
  for (const Choice& choice : choices) {
    if (!choice.made) variables[count++] = choice.variable;
  }
  if (count == given) return;
  // It goes on as it is if this fails.
  execve(reinterpret_cast<const char*>(getauxval(AT_EXECFN)), arguments, variables);
}
[[gnu::section(".preinit_array"),
  gnu::used]] void (*const choose_environment)(int, char**, char**) = &ChooseEnvironment;

// Limits the kernels to an older processor's instruction set if SEQ2SEQ_INSTRUCTION_SET names one.
// Returns false after an error message if there is none of that name.
bool LimitToEnvironment() {
#if SEQ2SEQ_KERNELS
  const char* name = getenv("SEQ2SEQ_INSTRUCTION_SET");
  if (name == nullptr) return true;
  const auto most = seq2seq::EnumFromText<seq2seq::InstructionSet>(name);
  if (!most) {
    spdlog::error("seq2seq: SEQ2SEQ_INSTRUCTION_SET: expected {}, found '{}'",
                  absl::StrJoin(EnumTexts(seq2seq::InstructionSet()), ", "), name);
    return false;
  }
  seq2seq::LimitInstructionSet(*most);
#endif
  return true;
}

// The error message for an invalid command line: the error, a suggestion, the --help to consult.
std::string Mistake(const CLI::App& program, const CLI::Error& error) {
  std::string command;  // "tokenizer train "
  const CLI::App* last = &program;
  for (auto used = program.get_subcommands(); !used.empty(); used = last->get_subcommands()) {
    last = used[0];
    command += last->get_name() + " ";
  }
  std::string what = error.what();
  const std::vector<std::string> rest = last->remaining();
  if (!rest.empty()) {
    std::vector<std::string> known;
    for (const CLI::App* subcommand : last->get_subcommands([](const CLI::App*) { return true; }))
      known.push_back(subcommand->get_name());
    const bool flag = absl::StartsWith(rest[0], "-");
    if (flag) {
      known.clear();
      for (const CLI::Option* option : last->get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
      }
    }
    if (flag || !known.empty()) {
      const std::string word = rest[0].substr(0, rest[0].find('='));
      what = (flag ? "unknown flag '" : "unknown subcommand '") + word + "'" +
             seq2seq::DidYouMean(word, known);
    }
  }
  return "seq2seq: " + what + (what.back() == '?' ? " See" : "; see") + " seq2seq " + command +
         "--help";
}

// `status`, or DataLoss if it is OK but stdout could not be written.
absl::Status Written(absl::Status status) {
  if (!status.ok() || std::cout.flush()) return status;
  return absl::DataLossError("standard output: cannot write");
}

}  // namespace

int main(int argc, char** argv) {
  seq2seq::KeepArguments(argv);
  seq2seq::SetUpHeap();
  seq2seq::SetUpMessages();
  if (!LimitToEnvironment()) return 1;
  CLI::App program("Trains, tunes, applies and evaluates sequence-to-sequence models.", "seq2seq");
  program.set_version_flag("--version", "seq2seq " SEQ2SEQ_VERSION);
  program.require_subcommand(1);
  program.failure_message([](const CLI::App* app, const CLI::Error& error) {
    return seq2seq::Printable(Mistake(*app, error)) + "\n";
  });
  absl::Status status;
  seq2seq::AddTokenizer(program, &status);
  CLI::App* train = program.add_subcommand("train", "Trains a model, or resumes training");
  if (seq2seq::kLibTorch != nullptr) {
    seq2seq::kLibTorch->define_train(*train, &status);
  } else {
    seq2seq::HandOverCommand(*train, &status);
  }
  seq2seq::AddDecode(program, &status);
  seq2seq::AddScore(program, &status);
  seq2seq::AddRescore(program, &status);
  seq2seq::AddAlign(program, &status);
  seq2seq::AddEval(program, &status);
  seq2seq::AddAverage(program, &status);
  seq2seq::AddExport(program, &status);
  seq2seq::AddInspect(program, &status);
  seq2seq::AddReport(program, &status);
  seq2seq::AddTune(program, &status);
#if SEQ2SEQ_SERVER
  seq2seq::AddServe(program, &status);
  seq2seq::AddWatch(program, &status);
#endif
  seq2seq::AddManual(program, &status);
  seq2seq::AddMessageFlags(program);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (program.exit(error) != 0) return 1;
  } catch (const std::exception& error) {
    // The library throws nothing; what remains is out of memory, or the system's exceptions.
    spdlog::error("seq2seq: {}", error.what());
    return 1;
  }
  seq2seq::EndProgressBar();
  status = Written(status);
  if (status.ok()) return 0;
  spdlog::error("seq2seq: {}", seq2seq::Printable(status.message()));
  return 1;
}
