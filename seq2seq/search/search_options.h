// Search options: beam search, length normalisation, penalties, sampling.
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

// The metric of minimum Bayes risk decoding.
enum class BayesMetric { kNone, kChrf, kBleu, kCider, kWer };

inline std::vector<std::string> EnumTexts(BayesMetric) {
  return {"none", "chrf", "bleu", "cider", "wer"};
}

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
  BayesMetric mbr = BayesMetric::kNone;
  int64_t mbr_samples = 32;
  bool replace_unknown = false;
  std::vector<std::string> keep;
  std::vector<std::string> forbidden;
  bool partial_words = false;
  bool attention = false;

  bool operator==(const SearchOptions&) const = default;

  template <typename V>
  void Visit(V&& visit) {
    visit("beam", beam,
          "Beam size, 1 to 1000: hypotheses kept at each time step. 1 is greedy search; time grows "
          "with it.");
    visit("n_best", n_best,
          "Length of the n-best list of each sentence, best first; at most the beam size, or 1000 "
          "samples.");
    visit("normalization", normalization,
          "Length normalisation of scores: none (sum of log-probabilities), average (divided by "
          "length), gnmt and power (divided by a power of the length, see length_alpha), reward "
          "(plus length_reward per subword).");
    visit("length_alpha", length_alpha,
          "Exponent of (5 + length) / 6 in gnmt (Wu et al. 2016), of length in power; 0 or more. "
          "Raise it for longer translations.");
    visit("length_reward", length_reward,
          "reward: added to the score per subword. Raise it for longer translations.");
    visit("coverage_penalty", coverage_penalty,
          "Weight of the coverage penalty on source positions with little attention (Wu et al. "
          "2016), 0 or more; 0.2 is usual, 0 is none.");
    visit("min_length", min_length,
          "Minimum length of a translation in subwords, 0 to max_length.");
    visit("max_length", max_length, "Maximum length of a translation in subwords, 1 or more.");
    visit("min_ratio", min_ratio,
          "Minimum length of a translation in subwords per source subword, 0 to max_ratio.");
    visit("max_ratio", max_ratio,
          "Maximum length of a translation in subwords per source subword, more than 0; 10 more "
          "are allowed.");
    visit("stopping", stopping,
          "finished: a search stops when as many hypotheses are finished as the beam holds; exact: "
          "when no live hypothesis can win any more, which takes longer.");
    visit("groups", groups,
          "Groups of the beam in diverse beam search (Vijayakumar et al. 2018), a divisor of beam: "
          "each is penalised for tokens of the groups before it. For n-best lists of different "
          "translations; 1 is plain beam search.");
    visit("diversity", diversity,
          "Penalty on a token for each earlier group that chose it in the same time step, 0 or "
          "more.");
    visit("no_repeat_ngram", no_repeat_ngram,
          "n-gram blocking: no n-gram of this many subwords is generated twice; 0 is none.");
    visit("language_model_weight", language_model_weight,
          "Weight of the language model's log-probability in shallow fusion (Gulcehre et al. "
          "2015), 0 to 100.");
    visit("repetition_penalty", repetition_penalty,
          "Factor on the log-probability of subwords that were generated before, 1 or more; 1 is "
          "none.");
    visit("sample", sample,
          "Samples n_best translations at random instead of beam search; beam is ignored.");
    visit("temperature", temperature,
          "Temperature of sampling, more than 0: probabilities are raised to the power of 1 / "
          "temperature. Lower values give more probable translations.");
    visit("top_k", top_k,
          "Sample from this many most probable subwords at each time step; 0 is all.");
    visit("top_p", top_p,
          "Nucleus sampling: sample from the most probable subwords with this total probability, "
          "more than 0 and at most 1 (Holtzman et al. 2020).");
    visit("seed", seed, "Random seed of sampling, combined with the sentence.");
    visit("mbr", mbr,
          "Minimum Bayes risk decoding: of the hypotheses of the beam, or of mbr_samples samples, "
          "the one with the best expected score against the others is chosen, by chrf, bleu, cider "
          "(with equal weights of all n-grams) or wer. none is the best score of the model.");
    visit("mbr_samples", mbr_samples,
          "mbr with sample: translations to sample, of which n_best are returned; 1 to 1000.");
    visit("replace_unknown", replace_unknown,
          "Replaces an unknown subword of a translation by the source word that it is aligned to "
          "by attention, or by its translation in a lexicon. For models whose tokenizer has no "
          "byte fallback.");
    visit("keep", keep,
          "Regular expressions (RE2). What they match in a source, such as a name, a number, a URL "
          "or a tag of markup, is contained in its translation as it is, as a constraint.");
    visit("forbidden", forbidden,
          "Words or phrases that no translation contains, however it is segmented into subwords. "
          "Greedy search and sampling also avoid longer words that begin with them.");
    visit("partial_words", partial_words,
          "Lets words of prefix and constraints continue, as Haus in Haustür, and forbids longer "
          "words that begin with a forbidden one; otherwise all of them match as whole words.");
    visit("attention", attention,
          "Adds the attention weights of each time step to the output, in jsonl.");
  }
};

// InvalidArgument, naming the key and its value, if an option is out of range.
absl::Status Validate(const SearchOptions& options);

// Reads the section `validation` of a YAML file in the form of a run's config.yaml: the options
// that the validation data of a run were decoded with. Keys that it lacks, and all other sections,
// are left alone. InvalidArgument with file, line and key, as ReadOptions.
absl::Status ReadSearchOptions(const std::string& path, SearchOptions& options);

// The options that search finds the candidates with from which a result of `options` is chosen.
SearchOptions CandidateOptions(const SearchOptions& options);

// Minimum and maximum tokens of a translation, for a source of `source_length` subwords.
int64_t MinLength(int64_t source_length, const SearchOptions& options);
int64_t MaxLength(int64_t source_length, const SearchOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SEARCH_OPTIONS_H_
