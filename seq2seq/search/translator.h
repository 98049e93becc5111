// Translation with trained models: from text or image to text.
#ifndef SEQ2SEQ_SEARCH_TRANSLATOR_H_
#define SEQ2SEQ_SEARCH_TRANSLATOR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/search/candidate.h"
#include "seq2seq/search/ensemble.h"
#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/load_options.h"
#include "seq2seq/search/request.h"
#include "seq2seq/search/request_reader.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/search_options.h"
#include "seq2seq/source/source.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// Translates with a trained model.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(Translator translator, Translator::Load({"runs/multi30k"}));
//   SEQ2SEQ_ASSIGN_OR_RETURN(auto results, translator.Translate({"Ein Hund rennt."}));
//   std::cout << results[0][0].text << "\n";
//
// For an image model, lines are paths of files. For a language model, lines are beginnings of
// texts, possibly empty, which are completed; lengths count the new tokens. The same line is always
// completed in the same way; n_best samples of it differ.
//
// results[i] belongs to lines[i], holds the n-best list, and does not depend on the other lines of
// the call. Lines are sorted by length and searched in batches. An empty source gives one empty
// candidate. Invalid UTF-8 is replaced, a line of more than max_line_length subwords is cut, and an
// image that cannot be read gives one empty candidate; the log has a warning. Thread-safe; copies
// share the models.
class Translator {
 public:
  // Loads the best checkpoint of a run folder, else the latest; a path may also name a checkpoint.
  // Several paths, at least one, make an ensemble, which averages predictions. Its members may
  // differ in everything but the tokenizers and the image preprocessing; InvalidArgument, naming
  // the run, if those differ. Weights are mapped, and packed once for the kernels. What has no
  // inference form (images, some cells and attentions) and devices other than the CPU need
  // LoadOptions::load_module; Unimplemented, naming the part, without it.
  static absl::StatusOr<Translator> Load(absl::Span<const std::string> paths,
                                         const LoadOptions& options = {});

  // A translator over a model in memory, which must not change while in use.
  Translator(std::shared_ptr<const ScoringModel> model, std::shared_ptr<const Source> source,
             Tokenizer target, const TranslatorOptions& options = {});

  // The same translator with other bounds; shares the models.
  Translator With(const TranslatorOptions& options) const;

  absl::StatusOr<std::vector<std::vector<Candidate>>> Translate(
      absl::Span<const std::string> lines, const SearchOptions& options = {}) const;

  // The same for lines with prefix and constraints, each of which succeeds or fails alone: with the
  // error of CheckRequests, or with Cancelled or DeadlineExceeded once its interrupt is raised.
  std::vector<TranslationResult> TranslateRequests(absl::Span<const Request> requests,
                                                   const SearchOptions& options = {}) const;

  // InvalidArgument, naming the key and the value, for the first of `requests` that is invalid with
  // `options`, or that exceeds `limits` or, alone, `batch_scores`.
  absl::Status CheckRequests(absl::Span<const Request> requests,
                             const SearchOptions& options) const;

  // Translates a stream in bounded memory. `read` returns the next requests as they arrive, at most
  // `most`, and none only at the end; `write` receives the results in order, before the following
  // requests are read. Blocks grow from a few lines, so that the first results come soon, to enough
  // to sort into batches of similar length. Ends with the first error, after the results before it.
  //
  // An interrupted stream continues with its request `first`: in the same blocks, if that is a
  // BlockStart and `read` always returns as many as requested.
  absl::Status TranslateStream(
      absl::FunctionRef<absl::StatusOr<std::vector<Request>>(size_t most)> read,
      absl::FunctionRef<absl::Status(const Request& request, const std::vector<Candidate>& results)>
          write,
      const SearchOptions& options = {}, int64_t first = 0) const;

  // Number of the first request in the block of a stream that contains request `number`, from 0.
  int64_t BlockStart(int64_t number) const;

  // Scores given translations by forced decoding: as Translate would score the same subwords,
  // without a shortlist. sources and targets are parallel; sources are empty for a model without a
  // source. InvalidArgument if an image cannot be read.
  absl::StatusOr<std::vector<Candidate>> Score(absl::Span<const std::string> sources,
                                               absl::Span<const std::string> targets,
                                               const SearchOptions& options = {}) const;

  // Lines for the log where decoding is slower or other than requested, as in another precision.
  const std::vector<std::string>& notes() const { return ensemble_.notes; }

  // What the validation data of the first model were decoded with: options to start from. Those of
  // an empty SearchOptions for a model in memory.
  const SearchOptions& search_options() const { return ensemble_.search; }

  // The kind of source that lines are.
  SourceKind source_kind() const { return ensemble_.source->kind(); }

  // Whether it has attention weights: at least one model attends to the source.
  bool has_attention() const { return ensemble_.has_attention(); }

  // Bytes of the models' weights in the form that they compute with.
  double weight_bytes() const { return ensemble_.weight_bytes(); }

  const TranslatorOptions& options() const { return options_; }

 private:
  // A line prepared for search.
  struct Prepared {
    std::string text;
    SourceInput source;
    SearchTask task;
  };

  Translator(Ensemble ensemble, const TranslatorOptions& options);

  // InvalidArgument if `options` require attention and no model has it.
  absl::Status CheckAttention(const SearchOptions& options) const;
  // Checks `options`; returns what all requests share.
  absl::StatusOr<CommonWishes> CheckOptions(const SearchOptions& options) const;
  // Number of scores in a time step of one sentence.
  int64_t ScoresOfSentence(const SearchOptions& options) const;
  // Completes `task`, of `request`, whose line was read as `source`.
  SearchTask Complete(SearchTask task, const Request& request, const SourceInput& source,
                      const SearchOptions& options) const;
  // Searches in batches of similar length; the results of sources that cannot be loaded stay empty.
  std::vector<TranslationResult> Search(absl::Span<Prepared> lines, const SearchOptions& options,
                                        const Shortlist* shortlist) const;
  // Turns the candidates that search found for the requests `numbers` into results: ranks them by
  // Bayes risk, and sends the texts that are certain only now.
  void Choose(absl::Span<const Request> requests, absl::Span<const size_t> numbers,
              const SearchOptions& options, std::vector<TranslationResult>& results) const;
  // Searches one batch, `indices` of `lines`. May throw, as ScoringModel::Begin.
  void SearchBatch(absl::Span<Prepared> lines, std::vector<size_t> indices,
                   const SearchOptions& options, const Shortlist* shortlist,
                   std::vector<TranslationResult>& results) const;
  // The lines of `indices` that are to be searched: not interrupted, whose sources can be loaded.
  std::vector<size_t> LoadBatch(absl::Span<Prepared> lines, const std::vector<size_t>& indices,
                                std::vector<TranslationResult>& results) const;
  std::vector<std::vector<size_t>> Batches(absl::Span<const Prepared> lines,
                                           const SearchOptions& options) const;
  Candidate MakeCandidate(const Prepared& line, const Hypothesis& hypothesis,
                          const SearchOptions& options) const;

  Ensemble ensemble_;
  TranslatorOptions options_;
  std::shared_ptr<const RequestReader> requests_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_TRANSLATOR_H_
