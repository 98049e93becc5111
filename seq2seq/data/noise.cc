#include "seq2seq/data/noise.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/random.h"

namespace seq2seq {
namespace {

constexpr char kSpace[] = "▁";  // Of SentencePiece, at the beginning of a word.

// Random numbers, one after the other.
class Draws {
 public:
  explicit Draws(uint64_t seed) : state_(seed) {}

  uint64_t Next() { return state_ = Mix(state_); }

  // From 0 to 1.
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

  // `value` rounded up or down, so that it is the mean.
  size_t Round(double value) { return static_cast<size_t>(value + Uniform()); }

  // Poisson-distributed, by Knuth's method.
  size_t Poisson(double mean) {
    size_t count = 0;
    for (double product = Uniform(); product > std::exp(-mean); product *= Uniform()) ++count;
    return count;
  }

 private:
  uint64_t state_;
};

// `subword` without quotes and brackets that may follow the end of a sentence.
absl::string_view WithoutClosing(absl::string_view subword) {
  const auto strip = [&] {
    for (const char* closing : {"\"", "'", ")", "]", "”", "’", "»", "“"}) {
      if (absl::ConsumeSuffix(&subword, closing)) return true;
    }
    return false;
  };
  while (strip()) {
  }
  return subword;
}

}  // namespace

absl::Status Validate(const NoiseOptions& options) {
  OptionRules rules;
  rules.Expect("train.noise.mask", options.mask, options.mask > 0 && options.mask < 1,
               "more than 0 and less than 1");
  rules.ExpectShare("train.noise.spans", options.spans);
  return rules.status();
}

Noise::Noise(Objective objective, const NoiseOptions& options, const Tokenizer& tokenizer)
    : objective_(objective), options_(options) {
  std::vector<int32_t> ids(static_cast<size_t>(tokenizer.size()));
  std::iota(ids.begin(), ids.end(), 0);
  for (const std::string& text : tokenizer.Subwords(ids)) {
    absl::string_view rest = text;
    Subword subword;
    subword.begins_word = absl::ConsumePrefix(&rest, kSpace);
    rest = WithoutClosing(rest);
    if (rest.empty()) {
      subword.ending = Ending::kAsBefore;
    } else if (absl::StrContains(".!?", rest.substr(rest.size() - 1))) {
      subword.ending = Ending::kEnded;
    }
    subwords_.push_back(subword);
  }
}

NoisyText Noise::Corrupt(absl::Span<const int32_t> text, uint64_t seed) const {
  NoisyText noisy;
  switch (objective_) {
    case Objective::kTranslation:
    case Objective::kRisk:
    case Objective::kSelfCritical:
      break;
    case Objective::kMasked:
      noisy = Mask(text, seed);
      break;
    case Objective::kDenoising:
      noisy.target.assign(text.begin(), text.end());
      noisy.source = options_.shuffle ? ShuffleSentences(text, seed) : noisy.target;
      noisy.source = MaskSpans(noisy.source, Mix(seed));
      break;
  }
  return noisy;
}

NoisyText Noise::Mask(absl::Span<const int32_t> text, uint64_t seed) const {
  std::vector<size_t> begins;  // Of what is chosen as a whole: words or subwords.
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == 0 || !options_.whole_words || subword(text[i]).begins_word) begins.push_back(i);
  }
  std::vector<size_t> chosen(begins.size());
  std::iota(chosen.begin(), chosen.end(), size_t{0});
  Draws draws(seed);
  Shuffle(chosen, draws.Next());
  const size_t count = draws.Round(options_.mask * static_cast<double>(begins.size()));
  chosen.resize(std::min(std::max<size_t>(count, 1), begins.size()));
  std::sort(chosen.begin(), chosen.end());

  NoisyText noisy;
  noisy.source.assign(text.begin(), text.end());
  for (const size_t unit : chosen) {
    const size_t end = unit + 1 < begins.size() ? begins[unit + 1] : text.size();
    for (size_t i = begins[unit]; i < end; ++i) {
      noisy.target.push_back(text[i]);
      noisy.positions.push_back(static_cast<int32_t>(i));
      const double fate = draws.Uniform();
      if (fate < 0.8) {
        noisy.source[i] = kUnknownId;
      } else if (fate < 0.9) {
        noisy.source[i] = static_cast<int32_t>(1 + draws.Next() % (subwords_.size() - 1));
      }
    }
  }
  return noisy;
}

std::vector<int32_t> Noise::MaskSpans(absl::Span<const int32_t> text, uint64_t seed) const {
  Draws draws(seed);
  size_t left = draws.Round(options_.spans * static_cast<double>(text.size()));
  // Subwords that stay, and spans by their lengths, of which 0 inserts a mask: in any order.
  constexpr size_t kStays = static_cast<size_t>(-1);
  std::vector<size_t> parts(text.size() - left, kStays);
  while (left > 0) {
    const size_t length = std::min(draws.Poisson(3), left);
    parts.push_back(length);
    left -= length;
  }
  Shuffle(parts, draws.Next());
  std::vector<int32_t> masked;
  const int32_t* next = text.data();
  for (const size_t part : parts) {
    masked.push_back(part == kStays ? *next : kUnknownId);
    next += part == kStays ? 1 : part;
  }
  return masked;
}

std::vector<int32_t> Noise::ShuffleSentences(absl::Span<const int32_t> text, uint64_t seed) const {
  std::vector<absl::Span<const int32_t>> sentences;
  size_t begin = 0;
  bool ended = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const Subword& next = subword(text[i]);
    if (next.begins_word && ended) {
      sentences.push_back(text.subspan(begin, i - begin));
      begin = i;
    }
    if (next.begins_word) ended = false;
    if (next.ending != Ending::kAsBefore) ended = next.ending == Ending::kEnded;
  }
  sentences.push_back(text.subspan(begin));
  Shuffle(sentences, seed);
  std::vector<int32_t> shuffled;
  for (const auto& sentence : sentences)
    shuffled.insert(shuffled.end(), sentence.begin(), sentence.end());
  return shuffled;
}

}  // namespace seq2seq
