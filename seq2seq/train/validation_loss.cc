#include "seq2seq/train/validation_loss.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include <torch/torch.h>

namespace seq2seq {

std::map<std::string, double> ValidationLoss(Model model, torch::Device device,
                                             const Corpus& corpus, const BucketOptions& buckets,
                                             const ImageReader& images, const MemoryPlan& memory) {
  const torch::NoGradGuard no_grad;
  std::vector<PairLength> lengths;
  for (int64_t i = 0; i < corpus.size(); ++i) {
    lengths.push_back({static_cast<int32_t>(corpus.source_length(i)),
                       static_cast<int32_t>(corpus.target_length(i))});
  }
  double nll = 0;
  int64_t tokens = 0;
  for (const std::vector<int64_t>& indices :
       PlanBatches(lengths, buckets, /*seed=*/0, /*epoch=*/0)) {
    std::vector<Example> examples;
    for (const int64_t index : indices) examples.push_back(corpus[index]);
    const Batch batch = Collate(examples, images, std::nullopt);
    for (const Batch& part : memory.Split(batch)) {
      nll += model->ComputeLoss(part.To(device), TeacherForcing(), /*smoothing=*/0, /*scale=*/1)
                 .nll.item<double>();
    }
    tokens += batch.target_tokens;
  }
  const double loss = nll / static_cast<double>(tokens);
  return {{"loss", loss}, {"perplexity", std::exp(loss)}};
}

}  // namespace seq2seq
