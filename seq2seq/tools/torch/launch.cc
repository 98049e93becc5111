#include "seq2seq/tools/torch/launch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/tools/child_process.h"
#include "seq2seq/tools/signals.h"

namespace seq2seq {
namespace {

constexpr int64_t kDefaultPort = 29500;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The number that an environment variable holds.
absl::StatusOr<int64_t> Number(const std::string& name) {
  const std::string text = Variable(name.c_str());
  int64_t number = 0;
  if (absl::SimpleAtoi(text, &number)) return number;
  return absl::InvalidArgumentError(
      absl::StrCat("the environment variable ", name, ": expected a number, found ",
                   text.empty() ? "nothing" : absl::StrCat("'", text, "'"),
                   "; a launcher sets it for each of several processes"));
}

absl::StatusOr<int64_t> Number(const std::string& name, int64_t otherwise) {
  return Variable(name.c_str()).empty() ? otherwise : Number(name);
}

// Environment variables of a launcher.
struct Names {
  const char* rank;
  const char* size;
  const char* local_rank;
  const char* local_size;
};
constexpr Names kTorchrun = {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"};
constexpr Names kSlurm = {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", nullptr};
constexpr Names kOpenMpi = {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                            "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"};

// The first of the machines in "node[03-07,9],other", as Slurm writes lists.
std::string FirstMachine(const std::string& list) {
  const size_t bracket = list.find('[');
  const size_t comma = list.find(',');
  if (bracket == std::string::npos || comma < bracket) return list.substr(0, comma);
  const size_t end = list.find_first_of("-,]", bracket);
  return list.substr(0, bracket) + list.substr(bracket + 1, end - bracket - 1);
}

// The tasks on a machine in "4(x2),3", which counts those of all machines.
int64_t SlurmTasksPerNode() {
  int64_t tasks = 1;
  const std::string text = Variable("SLURM_STEP_TASKS_PER_NODE");
  return absl::SimpleAtoi(text.substr(0, text.find_first_of("(,")), &tasks) ? tasks : 1;
}

absl::StatusOr<Rendezvous> Read(const Names& names) {
  Rendezvous place;
  SEQ2SEQ_ASSIGN_OR_RETURN(place.rank, Number(names.rank));
  SEQ2SEQ_ASSIGN_OR_RETURN(place.size, Number(names.size));
  SEQ2SEQ_ASSIGN_OR_RETURN(place.local_rank, Number(names.local_rank, 0));
  if (names.local_size != nullptr) {
    SEQ2SEQ_ASSIGN_OR_RETURN(place.local_size, Number(names.local_size, 1));
  } else {
    place.local_size = SlurmTasksPerNode();
  }
  // A port that another job on the same machine hardly has.
  SEQ2SEQ_ASSIGN_OR_RETURN(const int64_t job, Number("SLURM_JOB_ID", 0));
  SEQ2SEQ_ASSIGN_OR_RETURN(place.port, Number("MASTER_PORT", kDefaultPort + job % 10'000));
  place.address = Variable("MASTER_ADDR");
  if (place.address.empty()) place.address = FirstMachine(Variable("SLURM_STEP_NODELIST"));
  if (place.address.empty() && place.local_size == place.size) place.address = "127.0.0.1";
  if (place.address.empty()) {
    return absl::InvalidArgumentError(
        "the environment variable MASTER_ADDR: expected the address of the machine of rank 0, "
        "found nothing");
  }
  place.launcher_listens = Variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
  place.attempt = Variable("TORCHELASTIC_RESTART_COUNT");
  return place;
}

// A port of this machine that is free.
absl::StatusOr<int64_t> FreePort() {
  const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  absl::Status status;
  if (file < 0 || bind(file, generic, size) != 0 || getsockname(file, generic, &size) != 0)
    status = absl::ErrnoToStatus(errno, "--processes: no port of 127.0.0.1 is free");
  if (file >= 0) close(file);
  SEQ2SEQ_RETURN_IF_ERROR(status);
  return ntohs(address.sin_port);
}

// The command line of this process without --processes.
std::vector<std::string> CommandLine() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  std::vector<std::string> arguments = absl::StrSplit(text, '\0');
  arguments.pop_back();  // Each argument ends in a zero byte.
  std::vector<std::string> kept;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--processes") {
      ++i;
    } else if (!absl::StartsWith(arguments[i], "--processes=")) {
      kept.push_back(arguments[i]);
    }
  }
  return kept;
}

// Starts a process of the group.
absl::StatusOr<pid_t> Start(const std::vector<std::string>& arguments, int64_t rank, int64_t size,
                            int64_t port) {
  std::vector<std::string> environment =
      EnvironmentWith({absl::StrCat("RANK=", rank), absl::StrCat("WORLD_SIZE=", size),
                       absl::StrCat("LOCAL_RANK=", rank), absl::StrCat("LOCAL_WORLD_SIZE=", size),
                       "MASTER_ADDR=127.0.0.1", absl::StrCat("MASTER_PORT=", port)});
  // Of a launcher that started this process, as the only one.
  environment.erase(std::remove_if(environment.begin(), environment.end(),
                                   [](const std::string& variable) {
                                     return absl::StartsWith(variable, "TORCHELASTIC_");
                                   }),
                    environment.end());
  absl::StatusOr<pid_t> child = StartChild({arguments, std::move(environment)});
  if (child.ok()) return child;
  return absl::Status(child.status().code(),
                      absl::StrCat("--processes: ", child.status().message()));
}

void Signal(const std::vector<pid_t>& children, int signal) {
  for (const pid_t child : children) {
    if (child > 0) kill(child, signal);
  }
}

}  // namespace

absl::StatusOr<std::optional<Rendezvous>> ReadRendezvous() {
  for (const Names& names : {kTorchrun, kSlurm, kOpenMpi}) {
    // Slurm sets a rank in scripts that start no tasks, too.
    if (Variable(names.rank).empty() || (names.rank == kSlurm.rank && Variable(names.size).empty()))
      continue;
    SEQ2SEQ_ASSIGN_OR_RETURN(const Rendezvous place, Read(names));
    if (place.size == 1) return std::nullopt;
    return place;
  }
  return std::nullopt;
}

absl::Status RunProcesses(int64_t processes, double patience) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const int64_t port, FreePort());
  const std::vector<std::string> arguments = CommandLine();
  CatchStopSignals();
  std::vector<pid_t> children;
  absl::Status status;
  for (int64_t rank = 0; rank < processes && status.ok(); ++rank) {
    const absl::StatusOr<pid_t> child = Start(arguments, rank, processes, port);
    status = child.status();
    if (child.ok()) children.push_back(*child);
  }
  using Clock = std::chrono::steady_clock;
  Clock::time_point deadline = Clock::time_point::max();
  const auto give_up_in = [&](double seconds) {
    deadline = Clock::now() +
               std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  };
  if (!status.ok()) give_up_in(0);
  size_t running = children.size();
  bool told = false;
  while (running > 0) {
    if (StopRequested() && !told) {
      Signal(children, SIGTERM);
      told = true;
    }
    if (Clock::now() > deadline) {
      Signal(children, SIGKILL);
      deadline = Clock::time_point::max();
    }
    int result = 0;
    const pid_t ended = waitpid(-1, &result, WNOHANG);
    const auto child = std::find(children.begin(), children.end(), ended);
    if (ended <= 0 || child == children.end()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      continue;
    }
    --running;
    *child = 0;
    if (result == 0 || !status.ok()) continue;
    status = absl::AbortedError(absl::StrCat("rank ", child - children.begin(), " of ", processes,
                                             " processes ", DescribeEnd(result)));
    give_up_in(patience);
  }
  return status;
}

}  // namespace seq2seq
