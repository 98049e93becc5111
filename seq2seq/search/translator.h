// From text to text with a trained model.
#ifndef SEQ2SEQ_SEARCH_TRANSLATOR_H_
#define SEQ2SEQ_SEARCH_TRANSLATOR_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/model/model.h"
#include "seq2seq/search/beam.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// One translation of a sentence, or one that was given.
struct Candidate {
  std::string text;
  std::vector<int32_t> tokens;
  std::vector<std::string> pieces;  // Of the tokens.
  std::vector<double>
      token_scores;            // Log-probability of each piece and, last, of the end of sentence.
  double log_probability = 0;  // Their sum, in nats.
  double score = 0;            // The sum normalised by length.
};

// Where the model looked when it said a candidate.
struct Alignment {
  std::vector<std::string> source;  // The pieces of the source and its end; none of an image.
  std::vector<std::vector<float>>
      weights;  // [piece + 1, source], each adding up to 1; the last one
                // of the end. The places of an image in reading order.
};

// Translates with a trained model.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(Translator translator, Translator::Load("runs/multi30k"));
//   SEQ2SEQ_ASSIGN_OR_RETURN(auto results, translator.Translate({"Ein Hund rennt."}));
//   std::cout << results[0][0].text << "\n";
//
// Where the model says what is in images, lines are paths of files.
//
// results[i] belongs to lines[i], holds the n best, and does not depend on what else is in the
// call. Lines are sorted by length and searched in batches. A line without text becomes one empty
// candidate. Bytes that are not UTF-8 are replaced, a line of more than max_line_length pieces is
// cut, and an image that cannot be read becomes one empty candidate; the log tells. Thread-safe.
class Translator {
 public:
  // Loads the best step of a run folder, else the latest; `path` may also name a step.
  static absl::StatusOr<Translator> Load(const std::string& path,
                                         torch::Device device = torch::kCPU);

  // Loads several, which translate together: the mean of their probabilities counts. They may
  // differ in everything but the tokenizers and how images are read; InvalidArgument, naming the
  // run, where those differ.
  static absl::StatusOr<Translator> LoadEnsemble(absl::Span<const std::string> paths,
                                                 torch::Device device = torch::kCPU);

  // A translator over a model in memory, which it shares and which must be in eval mode while it is
  // used. The tokenizer of the source is absent where that is an image.
  Translator(Model model, std::optional<Tokenizer> source, Tokenizer target, torch::Device device);

  absl::StatusOr<std::vector<std::vector<Candidate>>> Translate(
      absl::Span<const std::string> lines, const BeamOptions& options = {}) const;

  // Scores given translations: what Translate would say of the same pieces. sources and targets
  // pair up. InvalidArgument where an image cannot be read.
  absl::StatusOr<std::vector<Candidate>> Score(absl::Span<const std::string> sources,
                                               absl::Span<const std::string> targets,
                                               const BeamOptions& options = {}) const;

  // Where the model, the first one of an ensemble, looks when it says candidates[i] of lines[i].
  // Empty for lines without text and images that cannot be read.
  absl::StatusOr<std::vector<Alignment>> Align(absl::Span<const std::string> lines,
                                               absl::Span<const Candidate> candidates) const;

  // Whether lines are paths of images.
  bool reads_images() const { return !source_.has_value(); }

  // Sentences searched together. Larger is faster where many are given at once, and takes more
  // memory.
  int64_t batch_size = 64;

  // Lines of more pieces are cut.
  int64_t max_line_length = 1000;

  // Gives an image by its line, as ReadImageInput does: the file of that name, unless it is set to
  // something else.
  std::function<absl::StatusOr<torch::Tensor>(const std::string& line)> read_image;

 private:
  // How the first model reads images, as text.
  static std::string ImageInput(const Translator& translator);
  // The pieces of a line, cut and repaired.
  std::vector<int32_t> EncodeLine(const Tokenizer& tokenizer, const std::string& line) const;
  // Those of all sources; nothing of images.
  std::vector<std::vector<int32_t>> EncodeSources(absl::Span<const std::string> lines) const;
  // The images in `files`, [image, …]; those that cannot be read are logged and left out, and
  // `read` tells which could.
  torch::Tensor ReadImages(absl::Span<const std::string> files, std::vector<bool>& read) const;
  // The sources of the lines `indices`; `filled` tells which of them have something to translate.
  Batch MakeBatch(absl::Span<const std::string> lines,
                  const std::vector<std::vector<int32_t>>& sources,
                  const std::vector<size_t>& indices, std::vector<size_t>& filled) const;
  // Indices of the sources, shortest first, in batches.
  std::vector<std::vector<size_t>> Batches(const std::vector<std::vector<int32_t>>& sources) const;
  Candidate MakeCandidate(const Hypothesis& hypothesis) const;

  std::vector<Model> models_;  // At least one.
  std::optional<Tokenizer> source_;
  Tokenizer target_;
  torch::Device device_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_TRANSLATOR_H_
