// trainer.json and log.jsonl, which training goes on from; both are given the same.
#include <filesystem>

#include "seq2seq/train/checkpoint.h"
#include "seq2seq/train/run_log.h"
#include "tests/fuzz/input.h"

namespace seq2seq {
namespace {

// A run that has no weights.
class Run {
 public:
  Run() : run_{folder_.path()} {
    TrainerState state;
    state.update = 1;
    const absl::Status saved = SaveCheckpoint(run_, state, {}, {}, 1);
    Require(saved.ok(), saved.ToString());
  }

  void Fuzz(const std::string& input) const {
    folder_.Write("step-1/trainer.json", input);
    const auto state = LoadCheckpoint(run_, {}, {});
    if (state.ok()) state->SinceBest();
    const absl::Status status = RunLog(folder_.Write("log.jsonl", input)).Truncate(1);
    Require(status.ok(), status.ToString());
  }

 private:
  const TemporaryFolder folder_;
  const RunFolder run_;
};

}  // namespace
}  // namespace seq2seq

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const seq2seq::Run run;
  run.Fuzz(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
