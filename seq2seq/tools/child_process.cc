#include "seq2seq/tools/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
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

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Starts a child whose output goes to the file `output`, if that is not negative.
absl::StatusOr<pid_t> Start(ChildCommand& command, int output) {
  const std::vector<char*> argv = Pointers(command.arguments), envp = Pointers(command.environment);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "cannot start another process");
  if (child == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);  // It has ended before.
    if (output >= 0 && (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0))
      _exit(126);
    execve("/proc/self/exe", argv.data(), envp.data());
    _exit(127);
  }
  return child;
}

std::string LastLine(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  return lines.empty() ? "" : std::string(absl::StripPrefix(lines.back(), "seq2seq: "));
}

}  // namespace

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
  const absl::StatusOr<pid_t> child = Start(command, output);
  if (output >= 0) close(output);
  return child;
}

absl::StatusOr<std::string> RunChild(ChildCommand command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "cannot make a pipe");
  const absl::StatusOr<pid_t> child = Start(command, ends[1]);
  close(ends[1]);
  std::string text;
  char buffer[4096];
  ssize_t size = 0;
  while (child.ok() &&
         ((size = read(ends[0], buffer, sizeof buffer)) > 0 || (size < 0 && errno == EINTR))) {
    if (size > 0) text.append(buffer, static_cast<size_t>(size));
  }
  close(ends[0]);
  SEQ2SEQ_RETURN_IF_ERROR(child.status());
  int status = 0;
  while (waitpid(*child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status == 0) return text;
  const std::string line = LastLine(text);
  return absl::AbortedError(line.empty() ? DescribeEnd(status) : line);
}

std::string DescribeEnd(int status) {
  if (WIFSIGNALED(status)) {
    return absl::StrCat("was ended by signal ", WTERMSIG(status), " (", strsignal(WTERMSIG(status)),
                        ")");
  }
  return absl::StrCat("ended with status ", WEXITSTATUS(status));
}

}  // namespace seq2seq
