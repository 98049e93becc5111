#include "seq2seq/metrics/cider.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/ngrams.h"
#include "seq2seq/metrics/segments.h"

namespace seq2seq {
namespace {

constexpr size_t kMaxOrder = 4;
constexpr double kScale = 10;
constexpr double kSigma = 6;  // Of the Gaussian over differences in length.

using Words = std::vector<std::string>;

// The references of each image.
using References = std::vector<std::vector<Words>>;

References SplitReferences(const Segments& corpus) {
  References images;
  images.reserve(corpus.segments.size());
  for (const Segment& segment : corpus.segments) {
    std::vector<Words>& references = images.emplace_back();
    for (const absl::string_view line : segment.references)
      references.push_back(Tokenize(line, Tokenization::kNone));
  }
  return images;
}

// For each n-gram the number of images that have it in a reference.
class DocumentFrequencies {
 public:
  // Views of `images`, which must outlive it; without any, all n-grams have the same frequency.
  explicit DocumentFrequencies(const References& images)
      : log_images_(images.empty() ? 1 : std::log(static_cast<double>(images.size()))) {
    for (const std::vector<Words>& references : images) {
      absl::flat_hash_set<Ngram> seen;
      for (const Words& reference : references) {
        ForEachNgram(reference, kMaxOrder, [&](Ngram ngram) { seen.insert(ngram); });
      }
      for (const Ngram ngram : seen) ++counts_[ngram];
    }
  }

  // The inverse document frequency; an n-gram of no reference has a frequency of 1.
  double Inverse(Ngram ngram) const {
    const auto known = counts_.find(ngram);
    return log_images_ -
           (known == counts_.end() ? 0 : std::log(static_cast<double>(known->second)));
  }

 private:
  NgramCounts counts_;
  double log_images_;
};

// A caption as a TF-IDF vector for each order, all in one map.
struct WeightedNgrams {
  absl::flat_hash_map<Ngram, double> weights;
  std::array<double, kMaxOrder> squares{};  // Of the lengths of the vectors.
  double words = 0;
};

WeightedNgrams Weigh(const Words& words, const DocumentFrequencies& frequencies) {
  WeightedNgrams result;
  result.words = static_cast<double>(words.size());
  for (const auto& [ngram, count] : CountNgrams(words, kMaxOrder)) {
    // The term frequency is the count and not, as in the paper, its fraction of the caption: the
    // cosine is the same, and CIDEr-D clips counts in coco-caption.
    const double weight = static_cast<double>(count) * frequencies.Inverse(ngram);
    result.weights.emplace(ngram, weight);
    result.squares[ngram.size() - 1] += weight * weight;
  }
  return result;
}

CiderScore Compare(const WeightedNgrams& hypothesis, const WeightedNgrams& reference) {
  std::array<double, kMaxOrder> products{};
  std::array<double, kMaxOrder> clipped{};
  for (const auto& [ngram, weight] : hypothesis.weights) {
    const auto other = reference.weights.find(ngram);
    if (other == reference.weights.end()) continue;
    products[ngram.size() - 1] += weight * other->second;
    clipped[ngram.size() - 1] += std::min(weight, other->second) * other->second;
  }
  CiderScore sum;
  for (size_t n = 0; n < kMaxOrder; ++n) {
    const double norm = std::sqrt(hypothesis.squares[n] * reference.squares[n]);
    if (norm == 0) continue;
    sum.cider += products[n] / norm;
    sum.cider_d += clipped[n] / norm;
  }
  const double difference = hypothesis.words - reference.words;
  const double penalty = std::exp(-difference * difference / (2 * kSigma * kSigma));
  return {.cider = sum.cider / kMaxOrder, .cider_d = penalty * sum.cider_d / kMaxOrder};
}

// The score of each image alone.
std::vector<CiderScore> ScoreImages(const Segments& corpus, const References& references,
                                    const DocumentFrequencies& frequencies) {
  std::vector<CiderScore> scores;
  for (size_t image = 0; image < references.size(); ++image) {
    const Words words = Tokenize(corpus.segments[image].hypothesis, Tokenization::kNone);
    const WeightedNgrams hypothesis = Weigh(words, frequencies);
    const auto num_references = static_cast<double>(references[image].size());
    CiderScore& mean = scores.emplace_back();
    for (const Words& reference : references[image]) {
      const CiderScore score = Compare(hypothesis, Weigh(reference, frequencies));
      mean.cider += kScale * score.cider / num_references;
      mean.cider_d += kScale * score.cider_d / num_references;
    }
  }
  return scores;
}

// The same with the document frequencies of all of `corpus`.
std::vector<CiderScore> ScoreImages(const Segments& corpus) {
  const References references = SplitReferences(corpus);
  return ScoreImages(corpus, references, DocumentFrequencies(references));
}

class CiderD final : public CorpusMetric {
 public:
  CiderD() = default;
  // With the document frequencies of these images.
  explicit CiderD(References images)
      : images_(std::move(images)), frequencies_(std::in_place, images_) {}

  std::string Name() const override { return "CIDEr-D"; }

  std::string Signature(int64_t num_references) const override {
    return FormatSignature(num_references, /*lowercase=*/false, "tok:none");
  }

  absl::StatusOr<SegmentCounts> Count(
      absl::Span<const std::string> hypotheses,
      const std::vector<std::vector<std::string>>& references) const override {
    SEQ2SEQ_ASSIGN_OR_RETURN(const Segments corpus, AlignSegments(hypotheses, references));
    SegmentCounts counts(2, corpus.num_references);
    const std::vector<CiderScore> images =
        frequencies_ ? ScoreImages(corpus, SplitReferences(corpus), *frequencies_)
                     : ScoreImages(corpus);
    for (const CiderScore& image : images) counts.Append({image.cider_d, 1});
    return counts;
  }

  double Score(absl::Span<const double> sum) const override {
    return sum[1] > 0 ? sum[0] / sum[1] : 0;
  }

 private:
  const References images_;
  const std::optional<DocumentFrequencies> frequencies_;  // Of images_, or those that are counted.
};

}  // namespace

absl::StatusOr<CiderScore> CorpusCider(absl::Span<const std::string> hypotheses,
                                       const std::vector<std::vector<std::string>>& references) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const Segments corpus, AlignSegments(hypotheses, references));
  if (corpus.segments.empty()) return CiderScore{};
  const auto images = static_cast<double>(corpus.segments.size());
  CiderScore mean;
  for (const CiderScore& image : ScoreImages(corpus)) {
    mean.cider += image.cider / images;
    mean.cider_d += image.cider_d / images;
  }
  return mean;
}

std::unique_ptr<const CorpusMetric> MakeCider() { return std::make_unique<CiderD>(); }

absl::StatusOr<std::unique_ptr<const CorpusMetric>> MakeCider(
    const std::vector<std::vector<std::string>>& corpus) {
  if (corpus.empty()) return std::make_unique<CiderD>(References());
  SEQ2SEQ_ASSIGN_OR_RETURN(const Segments segments, AlignSegments(corpus[0], corpus));
  return std::make_unique<CiderD>(SplitReferences(segments));
}

}  // namespace seq2seq
