// How translations are looked for.
#ifndef SEQ2SEQ_SEARCH_SEARCH_OPTIONS_H_
#define SEQ2SEQ_SEARCH_SEARCH_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace seq2seq {

enum class LengthNormalization { kNone, kAverage, kGnmt, kPower, kReward };

inline std::vector<std::string> EnumTexts(LengthNormalization) {
  return {"none", "average", "gnmt", "power", "reward"};
}

enum class Stopping { kFinished, kExact };

inline std::vector<std::string> EnumTexts(Stopping) { return {"finished", "exact"}; }

struct SearchOptions {
  int64_t beam = 5;
  int64_t n_best = 1;
  LengthNormalization normalization = LengthNormalization::kAverage;
  double length_alpha = 0.6;
  double length_reward = 0;
  double coverage_penalty = 0;
  int64_t min_length = 0;
  int64_t max_length = 250;
  double min_ratio = 0;
  double max_ratio = 3.0;
  Stopping stopping = Stopping::kFinished;
  int64_t groups = 1;
  double diversity = 0.5;
  int64_t no_repeat_ngram = 0;
  double language_model_weight = 0.2;
  double repetition_penalty = 1;
  bool sample = false;
  double temperature = 1;
  int64_t top_k = 0;
  double top_p = 1;
  int64_t seed = 1;
  std::vector<std::string> forbidden;
  bool partial_words = false;
  bool attention = false;

  template <typename V>
  void Visit(V&& visit) {
    visit("beam", beam, "Hypotheses kept at each step; 1 is greedy search. Time grows with it.");
    visit("n_best", n_best,
          "Translations for each sentence, best first; at most as many as the beam holds.");
    visit("normalization", normalization,
          "How hypotheses of different length compare: by the sum of their log-probabilities "
          "(none), their mean (average), divided as GNMT does or by the length to a power, or with "
          "a reward for each piece.");
    visit("length_alpha", length_alpha,
          "gnmt divides by ((5 + length) / 6) to this power (Wu et al. 2016), power by the length. "
          "Larger is longer.");
    visit("length_reward", length_reward, "What reward adds for each piece. Larger is longer.");
    visit("coverage_penalty", coverage_penalty,
          "Weight of the penalty for places of the source that were never looked at (Wu et al. "
          "2016); 0.2 is usual, 0 is none.");
    visit("min_length", min_length, "Pieces that a translation has at least.");
    visit("max_length", max_length, "Pieces that a translation has at most.");
    visit("min_ratio", min_ratio,
          "Pieces that a translation has at least, for each piece of the source.");
    visit("max_ratio", max_ratio,
          "Pieces that a translation has at most: so many for each piece of the source, plus 10.");
    visit("stopping", stopping,
          "finished: a search ends with as many finished hypotheses as the beam holds; exact: when "
          "none that goes on can win any more, which takes longer.");
    visit("groups", groups,
          "Parts of the beam, each searched for itself and told apart from those before it "
          "(Vijayakumar et al. 2018), for an n-best list of different translations. 1 is plain "
          "beam search.");
    visit("diversity", diversity,
          "What a token loses for each group before that chose it in the same step.");
    visit("no_repeat_ngram", no_repeat_ngram,
          "No sequence of so many pieces is said twice; 0 allows all.");
    visit("language_model_weight", language_model_weight,
          "What the log-probability of a language model counts, where there is one (Gulcehre et "
          "al. 2015).");
    visit("repetition_penalty", repetition_penalty,
          "The log-probability of a piece that was said before is multiplied by this; 1 is none.");
    visit("sample", sample,
          "Draws the n-best translations at random instead of searching; the beam does not count.");
    visit("temperature", temperature,
          "Samples are drawn from probabilities to the power of 1 / temperature. Lower is safer.");
    visit("top_k", top_k, "Samples are drawn from so many pieces at each step; 0 is all.");
    visit("top_p", top_p,
          "Samples are drawn from the likeliest pieces that have this share together (Holtzman et "
          "al. 2020).");
    visit("seed", seed, "Decides the samples, together with the sentence.");
    visit("forbidden", forbidden,
          "Words, or sequences of them, that no translation holds, whatever pieces they are made "
          "of. Greedy search and samples also avoid words that begin with them.");
    visit(
        "partial_words", partial_words,
        "Words of prefix and constraints may go on, as Haus in Haustür, and no word begins with a "
        "forbidden one; else all of them end as words do.");
    visit("attention", attention,
          "Adds to each translation where each of its steps looked, in jsonl.");
  }
};

// InvalidArgument, naming the key and its value, if no search can be made with `options`.
absl::Status Validate(const SearchOptions& options);

// The least and the most tokens that search gives to a source of `source_length` pieces.
int64_t MinLength(int64_t source_length, const SearchOptions& options);
int64_t MaxLength(int64_t source_length, const SearchOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SEARCH_OPTIONS_H_
