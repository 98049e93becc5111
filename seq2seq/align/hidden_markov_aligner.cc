#include "seq2seq/align/hidden_markov_aligner.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

namespace seq2seq {
namespace {

constexpr int kMarkovRounds = 5;
constexpr double kEmptyShare = 0.2;      // Probability of the empty word.
constexpr double kLeastEmission = 1e-7;  // So that every target word has some probability.

bool CanBeAligned(const SentencePair& pair) {
  const auto fits = [](size_t words) {
    return words >= 1 && words <= HiddenMarkovAligner::kMaxWords;
  };
  return fits(pair.source.size()) && fits(pair.target.size());
}

}  // namespace

// A pair of sentences under the model. Positions are numbered from 1; 0 is the place before the
// first word, where the target sentence starts. A jump leads to a position of 1 or more.
class HiddenMarkovAligner::Lattice {
 public:
  explicit Lattice(const HiddenMarkovAligner& model) : model_(model) {}

  void Read(const SentencePair& pair) {
    size_ = pair.source.size() + 1;
    words_ = pair.target.size();
    emissions_.resize(words_ * size_);
    for (size_t j = 0; j < words_; ++j) {
      const auto emission = [&](int32_t source) {
        return std::max(static_cast<double>(model_.lexicon_.Probability(source, pair.target[j])),
                        kLeastEmission);
      };
      emissions_[j * size_] = emission(kEmptyWord);
      for (size_t q = 1; q < size_; ++q) emissions_[j * size_ + q] = emission(pair.source[q - 1]);
    }
    totals_.assign(size_, 0);
    for (size_t from = 0; from < size_; ++from) {
      for (size_t to = 1; to < size_; ++to) totals_[from] += model_.Jump(Distance(from, to));
    }
  }

  // The sums over all jumps that lead to each position, of the values where they come from.
  std::vector<double> Arriving(const std::vector<double>& values) const {
    return Sums(values, /*arriving=*/true);
  }

  // The sums over all jumps that leave each position, of the values where they lead to; the value
  // of position 0 must be 0.
  std::vector<double> Leaving(const std::vector<double>& values) const {
    return Sums(values, /*arriving=*/false);
  }

  // E-step: the expected counts of words in `lexicon`, and of jumps, with the sums that turn these
  // into factors.
  void Count(const SentencePair& pair, LexicalModel& lexicon, Jumps& counts, Jumps& exposures) {
    Forward();
    std::vector<double> beta(size_, 1.0);
    for (size_t j = words_; j-- > 0;) {
      const double* const word = &word_[j * size_];
      const double* const empty = &empty_[j * size_];
      double of_empty = 0;
      for (size_t q = 0; q < size_; ++q) {
        of_empty += empty[q] * beta[q];
        if (q > 0) {
          lexicon.Count(pair.source[q - 1], pair.target[j], static_cast<float>(word[q] * beta[q]));
        }
      }
      lexicon.Count(kEmptyWord, pair.target[j], static_cast<float>(of_empty));

      std::vector<double> ahead(size_, 0.0);  // Of a jump to each position.
      for (size_t q = 1; q < size_; ++q)
        ahead[q] = (1 - kEmptyShare) * emissions_[j * size_ + q] * beta[q] / scales_[j];
      const std::vector<double> before = MassBefore(j);
      CountJumps(before, ahead, counts, exposures);
      const std::vector<double> leaving = Leaving(ahead);
      for (size_t q = 0; q < size_; ++q) {
        beta[q] =
            leaving[q] / totals_[q] + kEmptyShare * emissions_[j * size_] * beta[q] / scales_[j];
      }
    }
  }

  // The most probable path: the position of each target word, -1 for the empty word.
  std::vector<int32_t> BestPath() const {
    constexpr double kNone = -std::numeric_limits<double>::infinity();
    std::vector<double> best(size_, kNone);
    best[0] = 0;
    std::vector<int32_t> from(words_ * size_);  // The position before; -1 for the empty word.
    for (size_t j = 0; j < words_; ++j) {
      std::vector<double> leaving(size_);
      for (size_t q = 0; q < size_; ++q) leaving[q] = best[q] - std::log(totals_[q]);
      const auto better = [&](size_t a, size_t b) { return leaving[b] > leaving[a] ? b : a; };
      // The best position up to, and from, each.
      std::vector<size_t> low(size_), high(size_);
      for (size_t q = 0; q < size_; ++q) low[q] = q == 0 ? 0 : better(low[q - 1], q);
      for (size_t q = size_; q-- > 0;) high[q] = q + 1 == size_ ? q : better(high[q + 1], q);
      std::vector<double> next(size_);
      for (size_t q = 0; q < size_; ++q) {
        next[q] = best[q] + std::log(kEmptyShare * emissions_[j * size_]);
        int32_t& came = from[j * size_ + q] = -1;
        if (q == 0) continue;
        const double emission = std::log((1 - kEmptyShare) * emissions_[j * size_ + q]);
        const auto try_from = [&](size_t position) {
          const double score =
              leaving[position] + std::log(model_.Jump(Distance(position, q))) + emission;
          if (score <= next[q]) return;
          next[q] = score;
          came = static_cast<int32_t>(position);
        };
        for (size_t near = NearBegin(q); near < NearEnd(q); ++near) try_from(near);
        if (NearBegin(q) > 0) try_from(low[NearBegin(q) - 1]);
        if (NearEnd(q) < size_) try_from(high[NearEnd(q)]);
      }
      best = std::move(next);
    }
    std::vector<int32_t> path(words_);
    auto at = static_cast<size_t>(std::max_element(best.begin(), best.end()) - best.begin());
    for (size_t j = words_; j-- > 0;) {
      const int32_t before = from[j * size_ + at];
      path[j] = before < 0 ? -1 : static_cast<int32_t>(at) - 1;
      if (before >= 0) at = static_cast<size_t>(before);
    }
    return path;
  }

 private:
  static int64_t Distance(size_t from, size_t to) {
    return static_cast<int64_t>(to) - static_cast<int64_t>(from);
  }

  // The positions that are near `q`.
  size_t NearBegin(size_t q) const { return q > size_t{kNear} ? q - size_t{kNear} : 0; }
  size_t NearEnd(size_t q) const { return std::min(q + size_t{kNear} + 1, size_); }

  // In time proportional to the positions: those that are not near share a factor.
  std::vector<double> Sums(const std::vector<double>& values, bool arriving) const {
    std::vector<double> before(size_ + 1, 0.0);  // Sums of the values before each position.
    for (size_t q = 0; q < size_; ++q) before[q + 1] = before[q] + values[q];
    std::vector<double> sums(size_, 0.0);
    for (size_t q = arriving ? 1 : 0; q < size_; ++q) {
      const auto factor = [&](int64_t distance) {
        return model_.Jump(arriving ? -distance : distance);
      };
      for (size_t near = NearBegin(q); near < NearEnd(q); ++near)
        sums[q] += factor(Distance(q, near)) * values[near];
      sums[q] += factor(-kNear - 1) * before[NearBegin(q)];
      sums[q] += factor(kNear + 1) * (before[size_] - before[NearEnd(q)]);
    }
    return sums;
  }

  // Sets the probabilities of the states after each target word, divided by their sum.
  void Forward() {
    word_.assign(words_ * size_, 0.0);
    empty_.assign(words_ * size_, 0.0);
    scales_.resize(words_);
    for (size_t j = 0; j < words_; ++j) {
      const std::vector<double> mass = MassBefore(j);
      std::vector<double> leaving(size_);
      for (size_t q = 0; q < size_; ++q) leaving[q] = mass[q] / totals_[q];
      const std::vector<double> arriving = Arriving(leaving);
      double sum = 0;
      for (size_t q = 0; q < size_; ++q) {
        if (q > 0)
          word_[j * size_ + q] = (1 - kEmptyShare) * emissions_[j * size_ + q] * arriving[q];
        empty_[j * size_ + q] = kEmptyShare * emissions_[j * size_] * mass[q];
        sum += word_[j * size_ + q] + empty_[j * size_ + q];
      }
      for (size_t q = 0; q < size_; ++q) {
        word_[j * size_ + q] /= sum;
        empty_[j * size_ + q] /= sum;
      }
      scales_[j] = sum;
    }
  }

  // The probabilities of the positions before target word `j`.
  std::vector<double> MassBefore(size_t j) const {
    std::vector<double> mass(size_, 0.0);
    if (j == 0) mass[0] = 1;
    for (size_t q = 0; q < size_ && j > 0; ++q)
      mass[q] = word_[(j - 1) * size_ + q] + empty_[(j - 1) * size_ + q];
    return mass;
  }

  // The factors that maximise the likelihood are the counts divided by the exposures: the
  // derivative of the normalisers.
  void CountJumps(const std::vector<double>& before, const std::vector<double>& ahead,
                  Jumps& counts, Jumps& exposures) const {
    const std::vector<double> leaving = Leaving(ahead);
    std::vector<double> after(size_ + 1, 0.0);  // Sums of `ahead` before each position.
    for (size_t q = 0; q < size_; ++q) after[q + 1] = after[q] + ahead[q];
    for (size_t from = 0; from < size_; ++from) {
      const double mass = before[from] / totals_[from];
      const double jumps = mass * leaving[from] / totals_[from];
      const auto add = [&](int64_t distance, double sum, size_t positions) {
        const size_t bucket = Bucket(distance);
        counts[bucket] += mass * model_.jumps_[bucket] * sum;
        exposures[bucket] += jumps * static_cast<double>(positions);
      };
      const size_t begin = std::max<size_t>(NearBegin(from), 1), end = NearEnd(from);
      for (size_t to = begin; to < end; ++to) add(Distance(from, to), ahead[to], 1);
      if (begin > 1) add(-kNear - 1, after[begin], begin - 1);
      if (end < size_) add(kNear + 1, after[size_] - after[end], size_ - end);
    }
  }

  const HiddenMarkovAligner& model_;
  size_t size_ = 0;                   // Positions, with that before the first word.
  size_t words_ = 0;                  // Of the target.
  std::vector<double> emissions_;     // [target, position]; at 0 those of the empty word.
  std::vector<double> totals_;        // [position], sums of the factors of all jumps from it.
  std::vector<double> word_, empty_;  // [target, position]
  std::vector<double> scales_;        // [target]
};

size_t HiddenMarkovAligner::Bucket(int64_t distance) {
  return static_cast<size_t>(std::clamp(distance, -kNear - 1, kNear + 1) + kNear + 1);
}

double HiddenMarkovAligner::Jump(int64_t distance) const { return jumps_[Bucket(distance)]; }

HiddenMarkovAligner::HiddenMarkovAligner(LexicalModel lexicon) : lexicon_(std::move(lexicon)) {
  jumps_.fill(1);
}

HiddenMarkovAligner HiddenMarkovAligner::Learn(const SentencePairs& pairs, int64_t source_vocab) {
  std::vector<int64_t> numbers;
  for (int64_t number = 0; number < pairs.size; ++number) {
    if (CanBeAligned(pairs.at(number))) numbers.push_back(number);
  }
  const SentencePairs usable = {static_cast<int64_t>(numbers.size()), [&](int64_t index) {
                                  return pairs.at(numbers[static_cast<size_t>(index)]);
                                }};
  HiddenMarkovAligner aligner(LexicalModel::Learn(usable, source_vocab));
  for (int round = 0; round < kMarkovRounds; ++round) aligner.Improve(usable);
  return aligner;
}

void HiddenMarkovAligner::Improve(const SentencePairs& pairs) {
  constexpr double kLeastJump = 1e-4;  // Of the mean factor.
  Jumps counts{}, exposures{};
  Lattice lattice(*this);
  for (int64_t number = 0; number < pairs.size; ++number) {
    const SentencePair pair = pairs.at(number);
    lattice.Read(pair);
    lattice.Count(pair, lexicon_, counts, exposures);
  }
  lexicon_.Maximise();
  double sum = 0;
  for (size_t bucket = 0; bucket < jumps_.size(); ++bucket) {
    jumps_[bucket] = exposures[bucket] > 0 ? counts[bucket] / exposures[bucket] : 0;
    sum += jumps_[bucket];
  }
  for (double& jump : jumps_)
    jump = std::max(sum > 0 ? jump / sum * static_cast<double>(jumps_.size()) : 1, kLeastJump);
}

std::vector<int32_t> HiddenMarkovAligner::Align(const SentencePair& pair) const {
  if (!CanBeAligned(pair)) return std::vector<int32_t>(pair.target.size(), -1);
  Lattice lattice(*this);
  lattice.Read(pair);
  return lattice.BestPath();
}

}  // namespace seq2seq
