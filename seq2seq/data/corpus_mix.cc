#include "seq2seq/data/corpus_mix.h"

#include <algorithm>
#include <cmath>
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
  for (const Corpus* corpus : corpora_) begins_.push_back(begins_.back() + corpus->size());
}

Example CorpusMix::operator[](int64_t index) const {
  const auto corpus = std::upper_bound(begins_.begin(), begins_.end(), index) - begins_.begin() - 1;
  const auto number = static_cast<size_t>(corpus);
  return (*corpora_[number])[index - begins_[number]];
}

std::vector<int64_t> CorpusMix::Epoch(uint64_t seed, int64_t epoch) const {
  std::vector<int64_t> pairs;
  for (size_t i = 0; i < corpora_.size(); ++i) {
    const int64_t size = corpora_[i]->size();
    std::vector<int64_t> all(static_cast<size_t>(size));
    std::iota(all.begin(), all.end(), begins_[i]);
    const double times = std::floor(weights_[i]);
    for (double n = 0; n < times; ++n) pairs.insert(pairs.end(), all.begin(), all.end());
    const double share = (weights_[i] - times) * static_cast<double>(size);
    int64_t rest = std::llround(share);
    if (pairs.empty() && rest == 0) rest = 1;  // Of the only corpus, however small its weight.
    // A window that slides over a fixed shuffled order, so that all pairs occur equally often.
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
