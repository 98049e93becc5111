#include "seq2seq/tools/machine.h"

#include <dlfcn.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>
#include <torch/torch.h>

#if SEQ2SEQ_KERNELS
#include "seq2seq/kernels/parallel.h"
#endif

namespace seq2seq {
namespace {

// Number of physical cores, where the system lists them, else of hardware threads: hyperthreads
// share the units that matrix products need.
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

void CheckBlas() {
  // OpenBLAS reports how it was built: 0 without threads, 1 with its own, 2 with OpenMP's, which
  // LibTorch uses too.
  using GetParallel = int (*)();
  const auto get_parallel =
      reinterpret_cast<GetParallel>(dlsym(RTLD_DEFAULT, "openblas_get_parallel"));
  const std::string blas = torch::show_config();
  if (get_parallel == nullptr) {
    if (blas.find("BLAS_INFO=mkl") == std::string::npos &&
        dlsym(RTLD_DEFAULT, "sgemm_") != nullptr) {
      spdlog::warn(
          "warning: LibTorch's BLAS is not OpenBLAS: matrix products may be about 50 times slower; "
          "./setup selects it");
    }
  } else if (get_parallel() == 1) {
    spdlog::warn(
        "warning: LibTorch's BLAS is OpenBLAS with its own threads, which compete with LibTorch's "
        "and cost much of the speed; ./setup selects the OpenMP build");
  }
}

}  // namespace

void SetUpThreads(int64_t threads) {
  if (threads == 0 && std::getenv("OMP_NUM_THREADS") == nullptr) threads = CountCores();
  if (threads > 0) {
    torch::set_num_threads(static_cast<int>(threads));
#if SEQ2SEQ_KERNELS
    SetParallelThreads(static_cast<int>(threads));
#endif
  }
  CheckBlas();
#ifdef __GLIBC__
  // Freed large tensors are returned to the system instead of fragmenting the heap.
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
#endif
}

}  // namespace seq2seq
