// Translation with trained models: from text or image to text.
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

#include "seq2seq/ops/compute.h"
#include "seq2seq/model/model.h"
#include "seq2seq/search/ensemble_scorer.h"
#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/request.h"
#include "seq2seq/search/request_reader.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/search_limits.h"
#include "seq2seq/search/search_options.h"
#include "seq2seq/search/shortlist.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// Attention weights of a translation.
struct Alignment {
  std::vector<std::string> source;  // Subwords of the source and its end; empty for images.
  // [subword + 1, source], each row summing to 1; the last one is that of the end. Positions of an
  // image are in reading order.
  std::vector<std::vector<float>> weights;
};

// One translation of a sentence, generated or given.
struct Candidate {
  std::string text;
  TokenIds tokens;
  std::vector<std::string> subwords;  // Subwords of the tokens.
  // Log-probabilities of the subwords and, last, of the end of sentence; with a language model, the
  // weighted sum of both.
  std::vector<double> token_scores;
  double log_probability = 0;  // Sum of token_scores, in nats.
  double score = 0;            // By which candidates are ranked.
  Alignment alignment;         // Empty unless SearchOptions::attention asks for it.
};

// The n-best list of a request, of at least one; or its error, which affects no other request.
using TranslationResult = absl::StatusOr<std::vector<Candidate>>;

// Options for loading trained models.
struct LoadOptions {
  torch::Device device = torch::kCPU;
  // Precision of matrix products; bf16 and int8 are faster. If absent, that of the stored weights
  // if the device has it; auto is the same, but bf16 for fp32 weights if the processor has it.
  std::optional<PrecisionChoice> precision = std::nullopt;
  EnsembleMean mean = EnsembleMean::kProbability;
  bool shortlist = true;  // Use that of the first model, if it has one.
  // Run folder of a language model for shallow fusion, weighted by
  // SearchOptions::language_model_weight: without a source, and with the tokenizer of the target.
  std::string language_model = "";
  // Run image networks in TorchScript: code written by the author of the model.
  bool allow_scripts = false;
  // Largest image in pixels, and largest sum of the images that are decoded at the same time, at 12
  // bytes each; larger ones are refused.
  int64_t max_pixels = kMaxPixels;
};

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
// the call, unless a shortlist is used: lines that are searched together share theirs. Lines are
// sorted by length and searched in batches. An empty source gives one empty candidate. Invalid
// UTF-8 is replaced, a line of more than max_line_length subwords is cut, and an image that cannot
// be read gives one empty candidate; the log has a warning. Thread-safe.
class Translator {
 public:
  // Loads the best checkpoint of a run folder, else the latest; a path may also name a checkpoint.
  // Several paths, at least one, make an ensemble, which averages predictions. Its members may
  // differ in everything but the tokenizers and the image preprocessing; InvalidArgument, naming
  // the run, if those differ. Weights are mapped; on the CPU they are packed once for the kernels.
  static absl::StatusOr<Translator> Load(absl::Span<const std::string> paths,
                                         const LoadOptions& options = {});

  // A translator over a model in memory, which it shares and which must be in eval mode and not
  // change while in use. The source tokenizer is absent unless the source is text.
  Translator(Model model, std::optional<Tokenizer> source, Tokenizer target,
             const LoadOptions& options = {});

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
  const std::vector<std::string>& notes() const { return notes_; }

  // The kind of source that lines are.
  SourceKind source_kind() const { return source_kind_; }

  // Whether it has attention weights: at least one model attends to the source.
  bool has_attention() const { return has_attention_; }

  // Maximum number of sentences that are searched together, and of the tokens of their sources or
  // prefixes, padding included. More are faster on long inputs, and take more memory.
  int64_t batch_size = 64;
  int64_t batch_tokens = 8192;

  // Maximum number of scores in a time step of a batch, 4 bytes each: a row of the target
  // vocabulary for each hypothesis of each sentence. It limits the sentences in a batch.
  int64_t batch_scores = 64'000'000;

  // Maximum of the estimated bytes of a batch, beyond weight_bytes(); 0 is no bound. It limits the
  // sentences in a batch, to at least one.
  double batch_bytes = 0;

  // Bytes of the models' weights in the form that they compute with.
  double weight_bytes() const;

  // Limits on each request.
  SearchLimits limits;

  // Longest line in subwords; longer ones are cut.
  int64_t max_line_length = 1000;

  // Returns the image of a line; by default, ReadImageInput of the file of that name.
  std::function<absl::StatusOr<torch::Tensor>(const std::string& line)> read_image;

 private:
  // The input of a model of images.
  struct ImageInput {
    bool features = false;  // Instead of pixels.
    ImageOptions preprocessing;

    bool operator==(const ImageInput&) const = default;
  };
  // A line prepared for search.
  struct Prepared {
    std::string file;  // Of an image.
    TokenIds source;   // Of a text.
    SearchTask task;
  };

  static absl::StatusOr<Translator> LoadOne(const std::string& path, const LoadOptions& options);

  // InvalidArgument if `options` require attention and no model has it.
  absl::Status CheckAttention(const SearchOptions& options) const;
  // The tokens of a line, repaired and cut.
  TokenIds EncodeLine(const Tokenizer& tokenizer, const std::string& line) const;
  Prepared Prepare(const Request& request, const SearchOptions& options, SearchTask task) const;
  // Checks `options`; returns the forbidden words, which all requests share.
  absl::StatusOr<ForbiddenWords> CheckOptions(const SearchOptions& options) const;
  // Searches in batches of similar length; the results of images that cannot be read stay empty.
  std::vector<TranslationResult> Search(absl::Span<const Prepared> lines,
                                        const SearchOptions& options,
                                        const Shortlist* shortlist) const;
  // Searches one batch, `indices` of `lines`. Throws the exceptions of LibTorch.
  void SearchBatch(absl::Span<const Prepared> lines, std::vector<size_t> indices,
                   const SearchOptions& options, const Shortlist* shortlist,
                   std::vector<TranslationResult>& results) const;
  // Estimated bytes of a batch of that shape.
  double BatchBytes(const SearchShape& shape) const;
  // Number of scores in a time step of one sentence.
  int64_t ScoresOfSentence(const SearchOptions& options) const;
  // The inputs of a batch, and its scorer.
  Batch MakeBatch(absl::Span<const Prepared> lines, std::vector<size_t>& indices) const;
  std::unique_ptr<Scorer> MakeScorer(const Batch& batch, const TokenIds& tokens,
                                     const SearchOptions& options) const;
  // Indices of lines, shortest first, in batches.
  std::vector<std::vector<size_t>> Batches(absl::Span<const Prepared> lines,
                                           const SearchOptions& options) const;
  // The images of `lines`, [image, …]; those that cannot be read are logged, and left out of both.
  torch::Tensor ReadImages(absl::Span<const Prepared> lines, std::vector<size_t>& indices) const;
  Candidate MakeCandidate(const Prepared& line, const Hypothesis& hypothesis) const;

  std::vector<std::shared_ptr<const ScoringModel>> models_;  // At least one.
  EnsembleMean mean_;
  std::shared_ptr<const ScoringModel> language_model_;  // Null if there is none.
  std::optional<Shortlist> shortlist_;
  SourceKind source_kind_;
  bool has_attention_;
  std::optional<ImageInput> image_input_;
  std::optional<Tokenizer> source_;
  Tokenizer target_;
  std::shared_ptr<const RequestReader> requests_;
  std::vector<std::string> notes_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_TRANSLATOR_H_
