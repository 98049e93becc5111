#include "seq2seq/metrics/mapped_metric.h"

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/str_replace.h"
#include "absl/types/span.h"

namespace seq2seq {
namespace {

class MappedMetric final : public CorpusMetric {
 public:
  MappedMetric(std::unique_ptr<const CorpusMetric> metric,
               std::function<std::string(const std::string&)> map,
               std::vector<std::pair<std::string, std::string>> signature)
      : metric_(std::move(metric)), map_(std::move(map)), signature_(std::move(signature)) {}

  std::string Name() const override { return metric_->Name(); }

  std::string Signature(int64_t num_references) const override {
    return absl::StrReplaceAll(metric_->Signature(num_references), signature_);
  }

  bool LowerIsBetter() const override { return metric_->LowerIsBetter(); }

  absl::StatusOr<SegmentCounts> Count(
      absl::Span<const std::string> hypotheses,
      const std::vector<std::vector<std::string>>& references) const override {
    std::vector<std::vector<std::string>> mapped;
    for (const std::vector<std::string>& lines : references) mapped.push_back(MapAll(lines));
    return metric_->Count(MapAll(hypotheses), mapped);
  }

  double Score(absl::Span<const double> sum) const override { return metric_->Score(sum); }

 private:
  std::vector<std::string> MapAll(absl::Span<const std::string> lines) const {
    std::vector<std::string> mapped;
    mapped.reserve(lines.size());
    for (const std::string& line : lines) mapped.push_back(map_(line));
    return mapped;
  }

  const std::unique_ptr<const CorpusMetric> metric_;
  const std::function<std::string(const std::string&)> map_;
  const std::vector<std::pair<std::string, std::string>> signature_;
};

}  // namespace

std::unique_ptr<const CorpusMetric> MakeMappedMetric(
    std::unique_ptr<const CorpusMetric> metric, std::function<std::string(const std::string&)> map,
    std::vector<std::pair<std::string, std::string>> signature) {
  return std::make_unique<MappedMetric>(std::move(metric), std::move(map), std::move(signature));
}

}  // namespace seq2seq
