#include "seq2seq/data/corpus_mix.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include <c10/util/Exception.h>

#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/random.h"

namespace seq2seq {
namespace {

constexpr uint64_t kWindows = 0x57;  // Distinguishes these seeds from those of epochs.

}  // namespace

CorpusMix::CorpusMix(std::vector<const Corpus*> corpora, std::vector<double> weights)
    : corpora_(std::move(corpora)), weights_(std::move(weights)), begins_({0}) {
  TORCH_CHECK(!corpora_.empty() && weights_.size() == corpora_.size(), corpora_.size(),
              " corpora with ", weights_.size(), " weights");
  for (const double weight : weights_)
    TORCH_CHECK(std::isfinite(weight) && weight > 0,
                "corpus weights must be finite and above 0, found ", weight);
  double pairs = 0;  // Of an epoch.
  for (size_t i = 0; i < corpora_.size(); ++i) {
    begins_.push_back(begins_.back() + corpora_[i]->size());
    pairs += weights_[i] * static_cast<double>(corpora_[i]->size());
  }
  constexpr double kMost = 4294967295.0;
  TORCH_CHECK(pairs < kMost && static_cast<double>(size()) < kMost,
              "at most 4,294,967,294 pairs can be trained on, in all and in an epoch, found ",
              size(), " and ", pairs);
}

Example CorpusMix::operator[](int64_t index) const {
  const auto corpus = std::upper_bound(begins_.begin(), begins_.end(), index) - begins_.begin() - 1;
  const auto number = static_cast<size_t>(corpus);
  return (*corpora_[number])[index - begins_[number]];
}

std::vector<uint32_t> CorpusMix::Epoch(uint64_t seed, int64_t epoch) const {
  std::vector<uint32_t> pairs;
  const auto append = [&](size_t corpus) {
    const auto before = static_cast<std::ptrdiff_t>(pairs.size());
    pairs.resize(pairs.size() + static_cast<size_t>(corpora_[corpus]->size()));
    std::iota(pairs.begin() + before, pairs.end(), static_cast<uint32_t>(begins_[corpus]));
  };
  double expected = 1;
  for (size_t i = 0; i < corpora_.size(); ++i)
    expected += std::ceil(weights_[i] * static_cast<double>(corpora_[i]->size()));
  pairs.reserve(static_cast<size_t>(expected));
  for (size_t i = 0; i < corpora_.size(); ++i) {
    const int64_t size = corpora_[i]->size();
    const double times = std::floor(weights_[i]);
    for (double n = 0; n < times; ++n) append(i);
    int64_t rest = std::llround((weights_[i] - times) * static_cast<double>(size));
    if (pairs.empty() && rest == 0) rest = 1;  // Of the only corpus, however small its weight.
    if (rest == 0) continue;
    // A window that slides over a fixed shuffled order, so that all pairs occur equally often.
    std::vector<uint32_t> all(static_cast<size_t>(size));
    std::iota(all.begin(), all.end(), static_cast<uint32_t>(begins_[i]));
    Shuffle(all, DeriveSeed({seed, kWindows, i}));
    for (int64_t n = 0; n < rest; ++n)
      pairs.push_back(all[static_cast<size_t>((epoch * rest + n) % size)]);
  }
  return pairs;
}

uint64_t CorpusMix::content() const {
  if (corpora_.size() == 1 && weights_[0] == 1) return corpora_[0]->content();
  Fingerprint content;
  for (size_t i = 0; i < corpora_.size(); ++i) {
    content.AddValue(corpora_[i]->content());
    content.AddValue(weights_[i]);
  }
  return content.value();
}

}  // namespace seq2seq
