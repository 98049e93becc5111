// From text to text with a trained model.
#ifndef SEQ2SEQ_SEARCH_TRANSLATOR_H_
#define SEQ2SEQ_SEARCH_TRANSLATOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/model/compute.h"
#include "seq2seq/model/model.h"
#include "seq2seq/search/ensemble_scorer.h"
#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/request.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/search_limits.h"
#include "seq2seq/search/search_options.h"
#include "seq2seq/search/shortlist.h"
#include "seq2seq/search/wish_reader.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// Where the model looked when it said something.
struct Alignment {
  std::vector<std::string> source;  // The pieces of the source and its end; none of an image.
  // [piece + 1, source], each adding up to 1; the last one of the end. The places of an image in
  // reading order.
  std::vector<std::vector<float>> weights;
};

// One translation of a sentence, or one that was given.
struct Candidate {
  std::string text;
  TokenIds tokens;
  std::vector<std::string> pieces;  // Of the tokens.
  // The log-probability of each piece and, last, of the end of sentence; with a language model, the
  // weighted sum of both.
  std::vector<double> token_scores;
  double log_probability = 0;  // Their sum, in nats.
  double score = 0;            // What candidates are ranked by.
  Alignment alignment;         // Empty unless SearchOptions::attention asks for it.
};

// What becomes of a request: its n best, at least one; or why there are none, which is its own
// error and no other request's.
using TranslationResult = absl::StatusOr<std::vector<Candidate>>;

// How trained models are to translate.
struct LoadOptions {
  torch::Device device = torch::kCPU;
  // Of matrix products; bf16 and int8 are faster. Without it, what the weights are stored in, where
  // the device has that; auto is the same, but bf16 for weights of fp32 where the processor has it.
  std::optional<PrecisionChoice> precision = std::nullopt;
  EnsembleMean mean = EnsembleMean::kProbability;
  bool shortlist = true;  // Where the first model has one.
  // A run whose model has no source and the same tokenizer as the target: a language model that
  // search also listens to, as SearchOptions::language_model_weight says.
  std::string language_model = "";
  // Run the network of images of a model in TorchScript: code of whoever made the model.
  bool allow_scripts = false;
  // Of an image, and of all that are decoded at the same time, at 12 bytes each; larger ones cannot
  // be read.
  int64_t max_pixels = kMaxPixels;
};

// Translates with a trained model.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(Translator translator, Translator::Load({"runs/multi30k"}));
//   SEQ2SEQ_ASSIGN_OR_RETURN(auto results, translator.Translate({"Ein Hund rennt."}));
//   std::cout << results[0][0].text << "\n";
//
// Where the model says what is in images, lines are paths of files. Where it has no source, lines
// are what texts begin with, or nothing, and the texts go on as is likely; lengths count what is
// new. The same line goes on in the same way: n_best samples of it differ.
//
// results[i] belongs to lines[i], holds the n best, and does not depend on what else is in the
// call, unless a shortlist is used: lines that are searched together share theirs. Lines are sorted
// by length and searched in batches. A source without text becomes one empty candidate. Bytes that
// are not UTF-8 are replaced, a line of more than max_line_length pieces is cut, and an image that
// cannot be read becomes one empty candidate; the log tells. Thread-safe.
class Translator {
 public:
  // Loads the best step of a run folder, else the latest; a path may also name a step. Several, at
  // least one, translate together as the mean of what they hold likely. They may differ in
  // everything but the tokenizers and how images are read; InvalidArgument, naming the run, where
  // those differ. Weights are mapped; on the CPU they are laid out once for the kernels.
  static absl::StatusOr<Translator> Load(absl::Span<const std::string> paths,
                                         const LoadOptions& options = {});

  // A translator over a model in memory, which it shares and which must be in eval mode and not
  // change while it is used. The tokenizer of the source is absent unless that is a text.
  Translator(Model model, std::optional<Tokenizer> source, Tokenizer target,
             const LoadOptions& options = {});

  absl::StatusOr<std::vector<std::vector<Candidate>>> Translate(
      absl::Span<const std::string> lines, const SearchOptions& options = {}) const;

  // The same for lines with wishes, each of which succeeds or fails alone: with what CheckRequests
  // returns, with Cancelled or DeadlineExceeded once its interrupt is raised.
  std::vector<TranslationResult> TranslateRequests(absl::Span<const Request> requests,
                                                   const SearchOptions& options = {}) const;

  // InvalidArgument, naming the key and the value, for the first of `requests` that cannot be
  // searched with `options`, or that exceeds `limits` or, alone, `batch_scores`.
  absl::Status CheckRequests(absl::Span<const Request> requests,
                             const SearchOptions& options) const;

  // Translates a stream in bounded memory. `read` gives the next requests, at most `most` and at
  // least one but at the end, as they come; `write` gets the results in their order, while what
  // follows is not yet read. Blocks grow from a few lines, so that the first results come soon, to
  // enough to sort into batches of like length. Ends with the first error, behind the results
  // before.
  //
  // A stream that was stopped goes on with its request `first`: in the same blocks, if that is a
  // BlockStart and `read` always gives as many as it is asked for.
  absl::Status TranslateStream(
      absl::FunctionRef<absl::StatusOr<std::vector<Request>>(size_t most)> read,
      absl::FunctionRef<absl::Status(const Request& request, const std::vector<Candidate>& results)>
          write,
      const SearchOptions& options = {}, int64_t first = 0) const;

  // The number of the request that begins the block of a stream in which the request `number` is,
  // both counted from 0.
  int64_t BlockStart(int64_t number) const;

  // Scores given translations: what Translate would say of the same pieces, without a shortlist.
  // sources and targets pair up; a model without a source is given no sources. InvalidArgument
  // where an image cannot be read.
  absl::StatusOr<std::vector<Candidate>> Score(absl::Span<const std::string> sources,
                                               absl::Span<const std::string> targets,
                                               const SearchOptions& options = {}) const;

  // What is slower or other than asked for, a line for the log each: a model that cannot compute in
  // its precision.
  const std::vector<std::string>& notes() const { return notes_; }

  // What lines are.
  SourceKind source_kind() const { return source_kind_; }

  // Whether it shows what of the source each subword was made from: some model attends to it.
  bool has_attention() const { return has_attention_; }

  // Sentences searched together at most, and the tokens of their sources, or of what they begin
  // with, padding included. More are faster where many are given at once, and take more memory.
  int64_t batch_size = 64;
  int64_t batch_tokens = 8192;

  // Scores of a time step of a batch at most, 4 bytes each: a row of the target's vocabulary for
  // each hypothesis of each sentence. A batch has fewer sentences where it would exceed that.
  int64_t batch_scores = 64'000'000;

  // Bytes that a batch takes at most as estimated, beyond weight_bytes(); 0 is no bound. A batch
  // has fewer sentences where it would take more, and one at least.
  double batch_bytes = 0;

  // The bytes of the models' weights as they are laid out.
  double weight_bytes() const;

  // The most that a request may ask for.
  SearchLimits limits;

  // Lines of more pieces are cut.
  int64_t max_line_length = 1000;

  // Gives an image by its line, as ReadImageInput does: the file of that name, unless it is set to
  // something else.
  std::function<absl::StatusOr<torch::Tensor>(const std::string& line)> read_image;

 private:
  // A line ready to be searched.
  struct Prepared {
    std::string file;  // Of an image.
    TokenIds source;   // Of a text.
    SearchTask task;
  };

  static absl::StatusOr<Translator> LoadOne(const std::string& path, const LoadOptions& options);

  // InvalidArgument if `options` ask for attention that no model has.
  absl::Status CheckAttention(const SearchOptions& options) const;
  // The pieces of a line, cut and repaired.
  TokenIds EncodeLine(const Tokenizer& tokenizer, const std::string& line) const;
  Prepared Prepare(const Request& request, const SearchOptions& options, SearchTask task) const;
  // What all requests with these options share, if they can be searched for at all.
  absl::StatusOr<ForbiddenWords> CheckOptions(const SearchOptions& options) const;
  // Searches in batches of like length; images that cannot be read stay empty.
  std::vector<TranslationResult> Search(absl::Span<const Prepared> lines,
                                        const SearchOptions& options,
                                        const Shortlist* shortlist) const;
  // Searches one batch, `indices` of `lines`. What LibTorch reports is thrown.
  void SearchBatch(absl::Span<const Prepared> lines, std::vector<size_t> indices,
                   const SearchOptions& options, const Shortlist* shortlist,
                   std::vector<TranslationResult>& results) const;
  // The estimated bytes of a batch of that shape.
  double BatchBytes(const SearchShape& shape) const;
  // Scores of a time step of one sentence.
  int64_t ScoresOfSentence(const SearchOptions& options) const;
  // What a batch is made of and searched by.
  Batch MakeBatch(absl::Span<const Prepared> lines, std::vector<size_t>& indices) const;
  std::unique_ptr<Scorer> MakeScorer(const Batch& batch, const TokenIds& tokens,
                                     const SearchOptions& options) const;
  // Indices of lines, shortest first, in batches.
  std::vector<std::vector<size_t>> Batches(absl::Span<const Prepared> lines,
                                           const SearchOptions& options) const;
  // The images of `files`, [image, …]; those that cannot be read are logged and left out of both.
  torch::Tensor ReadImages(absl::Span<const Prepared> lines, std::vector<size_t>& indices) const;
  Candidate MakeCandidate(const Prepared& line, const Hypothesis& hypothesis) const;

  std::vector<std::shared_ptr<const ScoringModel>> models_;  // At least one.
  EnsembleMean mean_;
  std::shared_ptr<const ScoringModel> language_model_;  // Null if there is none.
  std::optional<Shortlist> shortlist_;
  SourceKind source_kind_;
  bool has_attention_;
  std::string image_input_;  // How images are read, as text; empty of text.
  std::optional<Tokenizer> source_;
  Tokenizer target_;
  std::shared_ptr<const WishReader> wishes_;
  std::vector<std::string> notes_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_TRANSLATOR_H_
