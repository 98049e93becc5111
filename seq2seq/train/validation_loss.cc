#include "seq2seq/train/validation_loss.h"

#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <torch/torch.h>

#include "seq2seq/base/random.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {

absl::StatusOr<std::map<std::string, double>> ValidationLoss(
    Model model, torch::Device device, const Corpus& corpus, const BucketOptions& buckets,
    const ExampleTransforms& transforms, const MemoryPlan& memory, ProcessGroup* group) {
  const torch::NoGradGuard no_grad;
  std::vector<uint32_t> pairs(static_cast<size_t>(corpus.size()));
  std::iota(pairs.begin(), pairs.end(), 0);
  const auto length = [&](uint32_t pair) {
    return PairLength{static_cast<int32_t>(corpus.source_length(pair)),
                      static_cast<int32_t>(corpus.target_length(pair))};
  };
  const BatchPlan plan = PlanBatches(std::move(pairs), length, buckets, /*seed=*/0, /*epoch=*/0);
  torch::Tensor sums = torch::zeros({2}, torch::kFloat64);  // Of losses, and of tokens.
  for (int64_t i = group != nullptr ? group->rank() : 0; i < plan.size();
       i += group != nullptr ? group->size() : 1) {
    std::vector<Example> examples;
    std::vector<uint64_t> seeds;
    for (const uint32_t pair : plan[i]) {
      examples.push_back(corpus[pair]);
      seeds.push_back(DeriveSeed({pair}));
    }
    const Batch batch = transforms.noise ? Collate(examples, *transforms.noise, seeds)
                                         : Collate(examples, transforms.images, std::nullopt);
    for (const Batch& part : memory.Split(batch)) {
      sums[0] += model->ComputeLoss(part.To(device), TeacherForcing()).nll.item<double>();
    }
    sums[1] += batch.target_tokens;
  }
  if (group != nullptr) {
    SEQ2SEQ_RETURN_IF_ERROR(group->Meet());
    group->Sum(sums);
  }
  const double loss = (sums[0] / sums[1]).item<double>();
  return std::map<std::string, double>{{"loss", loss}, {"perplexity", std::exp(loss)}};
}

}  // namespace seq2seq
