// Models that translate together: an ensemble, with a language model and a lexical shortlist.
#ifndef SEQ2SEQ_SEARCH_ENSEMBLE_H_
#define SEQ2SEQ_SEARCH_ENSEMBLE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/search/batch_shortlist.h"
#include "seq2seq/search/ensemble_scorer.h"
#include "seq2seq/search/lexicon.h"
#include "seq2seq/search/load_options.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/search_memory.h"
#include "seq2seq/search/search_options.h"
#include "seq2seq/search/shortlist.h"
#include "seq2seq/source/source.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// A value: copies share the models.
struct Ensemble {
  std::vector<std::shared_ptr<const ScoringModel>> models;  // At least one.
  std::shared_ptr<const Source> source;
  Tokenizer target;
  EnsembleMean mean = EnsembleMean::kProbability;
  std::vector<double> weights = {};  // Of the models, with a sum of 1; empty for equal ones.
  std::shared_ptr<const ScoringModel> language_model;  // Null if there is none.
  std::optional<Shortlist> shortlist;
  std::shared_ptr<const Lexicon> lexicon = nullptr;
  SearchOptions search = {};       // That the first model was validated with.
  std::vector<std::string> notes;  // For the log: where a model is slower or other than requested.

  // A scorer for loaded sources, with the language model weighted by `language_model_weight`. The
  // shortlists, of the sources or empty, must outlive it.
  std::unique_ptr<Scorer> Begin(absl::Span<const SourceInput* const> sources,
                                const BatchShortlist& shortlists,
                                double language_model_weight) const;

  // Whether at least one model attends to the source.
  bool has_attention() const;

  // Whether at least one model copies subwords of the source.
  bool copies() const;

  // The sums over all models, as in ScoringModel.
  double weight_bytes() const;
  double BatchBytes(const SearchShape& shape) const;
};

// Loads the models of the run folders `paths`, as Translator::Load.
absl::StatusOr<Ensemble> LoadEnsemble(absl::Span<const std::string> paths,
                                      const LoadOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_ENSEMBLE_H_
