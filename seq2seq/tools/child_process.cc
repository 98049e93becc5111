#include "seq2seq/tools/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "seq2seq/base/status_macros.h"

extern char** environ;

namespace seq2seq {
namespace {

constexpr char kThisProgram[] = "/proc/self/exe";

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What a child has in the place of this process's descriptors; -1 keeps them.
struct Streams {
  int input = -1;
  int output = -1;
  int errors = -1;
};

absl::StatusOr<pid_t> Start(const char* program, ChildCommand& command, const Streams& streams) {
  const std::vector<char*> argv = Pointers(command.arguments), envp = Pointers(command.environment);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "cannot start another process");
  if (child == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);  // It has ended before.
    const auto replace = [](int file, int descriptor) {
      if (file >= 0 && dup2(file, descriptor) < 0) _exit(126);
    };
    replace(streams.input, STDIN_FILENO);
    replace(streams.output, STDOUT_FILENO);
    replace(streams.errors, STDERR_FILENO);
    execve(program, argv.data(), envp.data());
    _exit(127);
  }
  return child;
}

struct ChildEnd {
  int status = 0;
  std::string text;
};

// Reads what a child writes to a pipe until its end. `start` gets the end to write to.
template <typename StartFunction>
absl::StatusOr<ChildEnd> ReadToEnd(const StartFunction& start) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "cannot make a pipe");
  const absl::StatusOr<pid_t> child = start(ends[1]);
  close(ends[1]);
  ChildEnd end;
  char buffer[4096];
  ssize_t size = 0;
  while (child.ok() &&
         ((size = read(ends[0], buffer, sizeof buffer)) > 0 || (size < 0 && errno == EINTR))) {
    if (size > 0) end.text.append(buffer, static_cast<size_t>(size));
  }
  close(ends[0]);
  SEQ2SEQ_RETURN_IF_ERROR(child.status());
  while (waitpid(*child, &end.status, 0) < 0 && errno == EINTR) {
  }
  return end;
}

}  // namespace

std::string LastLine(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  return lines.empty() ? "" : std::string(absl::StripPrefix(lines.back(), "seq2seq: "));
}

std::vector<std::string> EnvironmentWith(std::vector<std::string> changes) {
  const size_t count = changes.size();
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const std::string name = text.substr(0, text.find('=') + 1);
    const auto end = changes.begin() + static_cast<std::ptrdiff_t>(count);
    if (std::none_of(changes.begin(), end,
                     [&](const std::string& change) { return absl::StartsWith(change, name); }))
      changes.push_back(text);
  }
  return changes;
}

absl::StatusOr<pid_t> StartChild(ChildCommand command) {
  int output = -1;
  if (!command.output.empty()) {
    output = open(command.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (output < 0)
      return absl::ErrnoToStatus(errno, absl::StrCat(command.output, ": cannot open"));
  }
  const absl::StatusOr<pid_t> child = Start(kThisProgram, command, {-1, output, output});
  if (output >= 0) close(output);
  return child;
}

absl::StatusOr<std::string> RunChild(ChildCommand command) {
  SEQ2SEQ_ASSIGN_OR_RETURN(ChildEnd end, ReadToEnd([&](int output) {
                             return Start(kThisProgram, command, {-1, output, output});
                           }));
  if (end.status == 0) return std::move(end.text);
  const std::string line = LastLine(end.text);
  return absl::AbortedError(line.empty() ? DescribeEnd(end.status) : line);
}

absl::StatusOr<std::string> RunShell(const std::string& command, const std::string& input,
                                     std::vector<std::string> changes) {
  // A file, since a pipe holds little and the command need not read it.
  const int file = memfd_create("input", MFD_CLOEXEC);
  if (file < 0) return absl::ErrnoToStatus(errno, "cannot make a file in memory");
  size_t written = 0;
  while (written < input.size()) {
    const ssize_t size = write(file, input.data() + written, input.size() - written);
    if (size < 0) {
      close(file);
      return absl::ErrnoToStatus(errno, "cannot write a file in memory");
    }
    written += static_cast<size_t>(size);
  }
  lseek(file, 0, SEEK_SET);
  ChildCommand shell = {{"sh", "-c", command}, EnvironmentWith(std::move(changes))};
  absl::StatusOr<ChildEnd> end = ReadToEnd([&](int output) {
    return Start("/bin/sh", shell, {file, output, -1});
  });
  close(file);
  SEQ2SEQ_RETURN_IF_ERROR(end.status());
  if (end->status == 0) return std::move(end->text);
  return absl::AbortedError(DescribeEnd(end->status));
}

std::string DescribeEnd(int status) {
  if (WIFSIGNALED(status)) {
    return absl::StrCat("was ended by signal ", WTERMSIG(status), " (", strsignal(WTERMSIG(status)),
                        ")");
  }
  return absl::StrCat("ended with status ", WEXITSTATUS(status));
}

}  // namespace seq2seq
