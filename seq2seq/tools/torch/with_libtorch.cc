// The executable seq2seq-torch: all that seq2seq does, training, and LibTorch's devices.
#include <dlfcn.h>

#include <string>

#include <spdlog/spdlog.h>
#include <torch/torch.h>

#include "seq2seq/base/status_macros.h"
#include "seq2seq/model/stored_module.h"
#include "seq2seq/ops/device.h"
#include "seq2seq/tools/libtorch.h"
#include "seq2seq/tools/torch/corpus_shortlist.h"
#include "seq2seq/tools/torch/summary.h"
#include "seq2seq/tools/torch/train.h"

namespace seq2seq {
namespace {

absl::StatusOr<std::string> FindDevice(const std::string& name) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const torch::Device device, ParseDevice(name));
  return device.str();
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

// On small machines LibTorch starts with a single thread.
void SetUpTorchThreads(int threads) {
  if (threads > 0) torch::set_num_threads(threads);
  CheckBlas();
}

constexpr LibTorch kAll = {.define_train = DefineTrain,
                           .learn_shortlist = LearnCorpusShortlist,
                           .summarize_config = SummarizeConfig,
                           .find_device = FindDevice,
                           .load_module = LoadScoringModel,
                           .set_up_threads = SetUpTorchThreads};

}  // namespace

const LibTorch* const kLibTorch = &kAll;

const double kProgramBytes = 180e6;

}  // namespace seq2seq
