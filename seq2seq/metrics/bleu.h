// Corpus BLEU (Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of Machine
// Translation"), as sacreBLEU 2 computes it, except for the version in the signature.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(BleuScore bleu, CorpusBleu(hypotheses, {references}));
//   std::cout << bleu.score << " " << bleu.Signature() << "\n";
//
// Expects detokenised text: the tokenizer is part of the metric, and scores of different ones are
// not comparable. With Tokenization::kMoses and `lowercase` the score is multi-bleu.perl's of text
// that tokenizer.perl and lowercase.perl made, which many papers print; only an order without a
// match, which is smoothed here, gives 0 there.
#ifndef SEQ2SEQ_METRICS_BLEU_H_
#define SEQ2SEQ_METRICS_BLEU_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/metrics/corpus_metric.h"
#include "seq2seq/metrics/moses_language.h"
#include "seq2seq/metrics/segments.h"

namespace seq2seq {

// What to do where no n-gram of some order matches, which would make the score 0 (Chen and Cherry
// 2014, "A Systematic Comparison of Smoothing Techniques for Sentence-Level BLEU").
enum class BleuSmoothing {
  kExp,    // Their method 3: the first such order counts 1/2 match, the next 1/4, and so on.
  kFloor,  // Method 1: it counts 0.1 matches.
  kAddK,   // Method 2: every order above 1 counts one more match and one more n-gram.
  kNone,
};

struct BleuOptions {
  Tokenization tokenization = Tokenization::k13a;    // kChar for Chinese and Japanese.
  MosesLanguage language = MosesLanguage::kEnglish;  // For kMoses and kMosesNorm.
  bool lowercase = false;                            // Set it where the references have no case.
  BleuSmoothing smoothing = BleuSmoothing::kExp;     // Matters for small sets only.
};

struct BleuScore {
  static constexpr size_t kMaxOrder = 4;

  double score = 0;  // 0 to 100.

  // Of the 1- to 4-grams of the hypotheses: those that a reference has too, all of them, and their
  // quotient in percent, smoothed (but 0 if nothing matches at all).
  std::array<int64_t, kMaxOrder> matches{};
  std::array<int64_t, kMaxOrder> totals{};
  std::array<double, kMaxOrder> precisions{};

  // In tokens. Of several references the closest in length counts; of two as close, the shorter.
  int64_t hypothesis_length = 0;
  int64_t reference_length = 0;
  double brevity_penalty = 1;  // Below 1 if the hypotheses are shorter than the references.

  int64_t num_references = 0;  // Per sentence; 0 where that differs.
  BleuOptions options;

  // BLEU of the 1- to `max_order`-grams alone, 0 to 100: papers on captions report BLEU-1 to
  // BLEU-4, without smoothing. Order(kMaxOrder) is the score; orders that were not counted give 0.
  double Order(size_t max_order) const;

  // Hypothesis length over reference length; 0 if the references are empty.
  double LengthRatio() const;

  // To publish with the score:
  // "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:seq2seq-0.1.0", "…|tok:moses-de|…".
  std::string Signature() const;
};

// Scores hypotheses against references[reference][sentence]. An empty line stands for a missing
// reference if the sentence has another one. Returns InvalidArgument without references, and where
// the counts differ. Thread-safe.
absl::StatusOr<BleuScore> CorpusBleu(absl::Span<const std::string> hypotheses,
                                     const std::vector<std::vector<std::string>>& references,
                                     const BleuOptions& options = {});

// The same as a metric; of a row, the counts are the matches, the totals and both lengths.
std::unique_ptr<const CorpusMetric> MakeBleu(const BleuOptions& options = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_BLEU_H_
