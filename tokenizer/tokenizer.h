// Subword tokenizer: text to token ids and back.
#ifndef TOKENIZER_TOKENIZER_H_
#define TOKENIZER_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seq2seq {

// Ids of the special tokens that every vocabulary begins with.
inline constexpr int32_t kPadId = 0;
inline constexpr int32_t kUnknownId = 1;
inline constexpr int32_t kBosId = 2;
inline constexpr int32_t kEosId = 3;

// Segments text into the subwords of a trained SentencePiece model (Kudo & Richardson 2018).
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(Tokenizer tokenizer, Tokenizer::Load("joint.model"));
//   std::vector<int32_t> ids = tokenizer.Encode("Ein Hund rennt.");
//   std::string text = tokenizer.Decode(ids);  // "Ein Hund rennt."
//
// Decode inverts Encode, up to the model's normalisation and unknown characters. No
// begin-of-sentence or end-of-sentence token is added. Copies share the model. Thread-safe.
class Tokenizer {
 public:
  // Loads a model that TrainTokenizer wrote, or any other SentencePiece model: where its pad, unk,
  // bos and eos are not 0 to 3, or missing, ids are those of the model in their order, behind these
  // four. InvalidArgument, naming the file, for other files and those of more than `max_bytes`.
  static absl::StatusOr<Tokenizer> Load(const std::string& path, size_t max_bytes = 64 << 20);

  // Number of ids.
  int64_t size() const;

  // The best segmentation. Linear in the text; bytes that are not UTF-8 become unknown.
  std::vector<int32_t> Encode(absl::string_view text) const;

  // The `n` best segmentations, best first; fewer if there are no more. InvalidArgument for models
  // that have only one: bpe, char and word.
  absl::StatusOr<std::vector<std::vector<int32_t>>> EncodeNBest(absl::string_view text,
                                                                int n) const;

  // A segmentation drawn for each text, as a function of `seed` and the texts alone. A unigram
  // model draws from all segmentations with probability to the power of `alpha` (subword
  // regularisation, Kudo 2018); a bpe model skips each merge with probability `alpha` (BPE-dropout,
  // Provilkov et al. 2020); char and word models have only one. Costs a thread's start beside the
  // work: pass many texts at once.
  std::vector<std::vector<int32_t>> Sample(absl::Span<const std::string> texts, double alpha,
                                           uint32_t seed) const;

  // The text of `ids`; pad, bos and eos are left out, unknown is " ⁇ ". Ids must be below size().
  std::string Decode(absl::Span<const int32_t> ids) const;

  // The subwords of `ids` as they stand in the vocabulary, "▁Ein".
  std::vector<std::string> Subwords(absl::Span<const int32_t> ids) const;

  // The bytes of the model file.
  const std::string& model() const;

 private:
  struct Model;
  // From the ids of the SentencePiece model.
  std::vector<int32_t> Mapped(std::vector<int32_t> ids) const;

  explicit Tokenizer(std::shared_ptr<const Model> model) : model_(std::move(model)) {}

  std::shared_ptr<const Model> model_;
};

}  // namespace seq2seq

#endif  // TOKENIZER_TOKENIZER_H_
