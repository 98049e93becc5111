#include "seq2seq/metrics/meteor.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/segments.h"
#include "seq2seq/metrics/stemmer.h"
#include "seq2seq/metrics/word_alignment.h"

namespace seq2seq {
namespace {

double Score(const MeteorScore& counts) {
  if (counts.matches == 0) return 0;
  const auto matches = static_cast<double>(counts.matches);
  const double precision = matches / static_cast<double>(counts.hypothesis_length);
  const double recall = matches / static_cast<double>(counts.reference_length);
  const double f_mean = 10 * precision * recall / (recall + 9 * precision);
  const double fragmentation = static_cast<double>(counts.chunks) / matches;
  return 100 * f_mean * (1 - 0.5 * fragmentation * fragmentation * fragmentation);
}

// Equal words have equal stems, so that comparing stems finds the exact matches too.
std::vector<std::string> StemAll(absl::string_view line, const Stemmer& stemmer) {
  std::vector<std::string> words = Tokenize(line, Tokenization::kNone);
  for (std::string& word : words) word = stemmer.Stem(word);
  return words;
}

// The counts against the reference that scores best; of equals, the first.
MeteorScore CountSegment(const Segment& segment, const Stemmer& stemmer) {
  const std::vector<std::string> hypothesis = StemAll(segment.hypothesis, stemmer);
  MeteorScore best;
  best.score = -1;
  for (const absl::string_view line : segment.references) {
    const std::vector<std::string> reference = StemAll(line, stemmer);
    const WordAlignment alignment = AlignWords(hypothesis, reference);
    MeteorScore counts;
    counts.matches = alignment.matches;
    counts.chunks = alignment.chunks;
    counts.hypothesis_length = static_cast<int64_t>(hypothesis.size());
    counts.reference_length = static_cast<int64_t>(reference.size());
    counts.score = Score(counts);
    if (counts.score > best.score) best = counts;
  }
  return best;
}

class Meteor final : public CorpusMetric {
 public:
  explicit Meteor(const MeteorOptions& options) : options_(options) {}

  std::string Name() const override { return MeteorScore().Name(); }

  std::string Signature(int64_t num_references) const override {
    return FormatSignature(num_references, /*lowercase=*/false,
                           absl::StrCat("tok:none|stem:", options_.stemmer));
  }

  absl::StatusOr<SegmentCounts> Count(
      absl::Span<const std::string> hypotheses,
      const std::vector<std::vector<std::string>>& references) const override {
    SEQ2SEQ_ASSIGN_OR_RETURN(const Segments corpus, AlignSegments(hypotheses, references));
    SEQ2SEQ_ASSIGN_OR_RETURN(const Stemmer stemmer, Stemmer::Create(options_.stemmer));
    SegmentCounts counts(4, corpus.num_references);
    for (const Segment& segment : corpus.segments) {
      const MeteorScore meteor = CountSegment(segment, stemmer);
      counts.Append({static_cast<double>(meteor.matches), static_cast<double>(meteor.chunks),
                     static_cast<double>(meteor.hypothesis_length),
                     static_cast<double>(meteor.reference_length)});
    }
    return counts;
  }

  double Score(absl::Span<const double> sum) const override {
    MeteorScore meteor;
    meteor.matches = static_cast<int64_t>(sum[0]);
    meteor.chunks = static_cast<int64_t>(sum[1]);
    meteor.hypothesis_length = static_cast<int64_t>(sum[2]);
    meteor.reference_length = static_cast<int64_t>(sum[3]);
    return seq2seq::Score(meteor);
  }

 private:
  const MeteorOptions options_;
};

}  // namespace

std::string MeteorScore::Name() const { return "METEOR (exact+stem)"; }

absl::StatusOr<MeteorScore> CorpusMeteor(absl::Span<const std::string> hypotheses,
                                         const std::vector<std::vector<std::string>>& references,
                                         const MeteorOptions& options) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const Segments corpus, AlignSegments(hypotheses, references));
  SEQ2SEQ_ASSIGN_OR_RETURN(const Stemmer stemmer, Stemmer::Create(options.stemmer));
  MeteorScore meteor;
  meteor.num_references = corpus.num_references;
  meteor.options = options;
  for (const Segment& segment : corpus.segments) {
    const MeteorScore counts = CountSegment(segment, stemmer);
    meteor.matches += counts.matches;
    meteor.chunks += counts.chunks;
    meteor.hypothesis_length += counts.hypothesis_length;
    meteor.reference_length += counts.reference_length;
  }
  meteor.score = Score(meteor);
  return meteor;
}

absl::StatusOr<std::unique_ptr<const CorpusMetric>> MakeMeteor(const MeteorOptions& options) {
  SEQ2SEQ_RETURN_IF_ERROR(Stemmer::Create(options.stemmer).status());
  return std::make_unique<Meteor>(options);
}

}  // namespace seq2seq
