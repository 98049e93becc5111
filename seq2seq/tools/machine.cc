#include "seq2seq/tools/machine.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <utility>

#if SEQ2SEQ_KERNELS
#include "seq2seq/kernels/parallel.h"
#endif
#include "seq2seq/tools/libtorch.h"

namespace seq2seq {

int64_t CountCores() {
  std::ifstream info("/proc/cpuinfo");
  std::set<std::pair<std::string, std::string>> cores;
  std::string package;
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("physical id", 0) == 0) package = line;
    if (line.rfind("core id", 0) == 0) cores.emplace(package, line);
  }
  const auto threads = static_cast<int64_t>(std::thread::hardware_concurrency());
  return std::max<int64_t>(
      1, cores.empty() ? threads : std::min<int64_t>(threads, static_cast<int64_t>(cores.size())));
}

void SetUpThreads(int64_t threads, int64_t processes) {
  if (threads == 0 && std::getenv("OMP_NUM_THREADS") == nullptr)
    threads = std::max<int64_t>(1, CountCores() / processes);
#if SEQ2SEQ_KERNELS
  if (threads > 0) SetParallelThreads(static_cast<int>(threads));
#endif
  if (kLibTorch != nullptr) kLibTorch->set_up_threads(static_cast<int>(threads));
}

}  // namespace seq2seq
