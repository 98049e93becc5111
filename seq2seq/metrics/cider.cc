#include "seq2seq/metrics/cider.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

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

struct Captions {
  Words hypothesis;
  std::vector<Words> references;
};

std::vector<Captions> SplitAll(const Segments& corpus) {
  std::vector<Captions> images;
  images.reserve(corpus.segments.size());
  for (const Segment& segment : corpus.segments) {
    Captions& captions = images.emplace_back();
    captions.hypothesis = Tokenize(segment.hypothesis, Tokenization::kNone);
    for (const absl::string_view line : segment.references) {
      captions.references.push_back(Tokenize(line, Tokenization::kNone));
    }
  }
  return images;
}

// Document frequencies: for each n-gram the number of images that have it in a reference.
NgramCounts CountImages(const std::vector<Captions>& images) {
  NgramCounts frequencies;
  for (const Captions& image : images) {
    absl::flat_hash_set<Ngram> seen;
    for (const Words& reference : image.references) {
      ForEachNgram(reference, kMaxOrder, [&](Ngram ngram) { seen.insert(ngram); });
    }
    for (const Ngram ngram : seen) ++frequencies[ngram];
  }
  return frequencies;
}

// A caption as a TF-IDF vector for each order, all in one map.
struct WeightedNgrams {
  absl::flat_hash_map<Ngram, double> weights;
  std::array<double, kMaxOrder> squares{};  // Of the lengths of the vectors.
  double words = 0;
};

WeightedNgrams Weigh(const Words& words, const NgramCounts& frequencies, double log_images) {
  WeightedNgrams result;
  result.words = static_cast<double>(words.size());
  for (const auto& [ngram, count] : CountNgrams(words, kMaxOrder)) {
    const auto known = frequencies.find(ngram);
    // An n-gram of no reference has a document frequency of 1.
    const int64_t frequency = known == frequencies.end() ? 1 : known->second;
    const double idf = log_images - std::log(static_cast<double>(frequency));
    // The term frequency is the count and not, as in the paper, its fraction of the caption: the
    // cosine is the same, and CIDEr-D clips counts in coco-caption.
    const double weight = static_cast<double>(count) * idf;
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

// The score of each image alone, with the document frequencies of all.
std::vector<CiderScore> ScoreImages(const Segments& corpus) {
  const std::vector<Captions> images = SplitAll(corpus);
  const NgramCounts frequencies = CountImages(images);
  const double log_images = std::log(static_cast<double>(images.size()));
  std::vector<CiderScore> scores;
  for (const Captions& image : images) {
    const WeightedNgrams hypothesis = Weigh(image.hypothesis, frequencies, log_images);
    const auto num_references = static_cast<double>(image.references.size());
    CiderScore& mean = scores.emplace_back();
    for (const Words& words : image.references) {
      const CiderScore score = Compare(hypothesis, Weigh(words, frequencies, log_images));
      mean.cider += kScale * score.cider / num_references;
      mean.cider_d += kScale * score.cider_d / num_references;
    }
  }
  return scores;
}

class CiderD final : public CorpusMetric {
 public:
  std::string Name() const override { return "CIDEr-D"; }

  std::string Signature(int64_t num_references) const override {
    return FormatSignature(num_references, /*lowercase=*/false, "tok:none");
  }

  absl::StatusOr<SegmentCounts> Count(
      absl::Span<const std::string> hypotheses,
      const std::vector<std::vector<std::string>>& references) const override {
    SEQ2SEQ_ASSIGN_OR_RETURN(const Segments corpus, AlignSegments(hypotheses, references));
    SegmentCounts counts(2, corpus.num_references);
    for (const CiderScore& image : ScoreImages(corpus)) counts.Append({image.cider_d, 1});
    return counts;
  }

  double Score(absl::Span<const double> sum) const override {
    return sum[1] > 0 ? sum[0] / sum[1] : 0;
  }
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

}  // namespace seq2seq
