#include "tokenizer/tokenizer.h"

#include <array>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"
#include "tokenizer/sentencepiece.h"

namespace seq2seq {
namespace {

std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

// Removes a varint (7 bits per byte, lowest first) from `bytes`; false if it does not end.
bool ReadVarint(absl::string_view& bytes, uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Whether a model has its normaliser, which is stored after all subwords. A protocol buffer has no
// end marker, so half a file may parse, as a model with fewer subwords and other settings.
bool HasNormalizer(absl::string_view bytes) {
  constexpr uint64_t kNormalizer = 3 << 3 | 2;  // Field 3, length-delimited.
  uint64_t tag = 0;
  uint64_t length = 0;
  while (ReadVarint(bytes, tag) && ReadVarint(bytes, length) && length <= bytes.size()) {
    if (tag == kNormalizer) return true;
    bytes.remove_prefix(length);
  }
  return false;
}

}  // namespace

struct Tokenizer::Model {
  const SentencePieceLibrary* library;
  std::unique_ptr<SentencePieceModel> pieces;
  std::string bytes;
};

absl::StatusOr<Tokenizer> Tokenizer::Load(const std::string& path, size_t max_bytes) {
  auto model = std::make_shared<Model>();
  SEQ2SEQ_ASSIGN_OR_RETURN(model->library, OpenSentencePiece());
  SEQ2SEQ_ASSIGN_OR_RETURN(model->bytes, ReadFile(path, max_bytes));
  // An empty file parses as a model without subwords, over which SentencePiece ends the program.
  if (HasNormalizer(model->bytes)) model->pieces = model->library->load(model->bytes);
  if (model->pieces == nullptr)
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a SentencePiece model"));
  const std::array<int, 4> ids = model->pieces->SpecialIds();
  if (ids != std::array<int, 4>{kPadId, kUnknownId, kBosId, kEosId}) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": pad, unk, bos and eos must be 0, 1, 2 and 3, found ", absl::StrJoin(ids, ", ")));
  }
  return Tokenizer(std::move(model));
}

int64_t Tokenizer::size() const { return model_->pieces->Size(); }

std::vector<int32_t> Tokenizer::Encode(absl::string_view text) const {
  return model_->pieces->Encode(ToStd(text));
}

absl::StatusOr<std::vector<std::vector<int32_t>>> Tokenizer::EncodeNBest(absl::string_view text,
                                                                         int n) const {
  std::vector<std::vector<int32_t>> segmentations;
  std::string error;
  if (model_->pieces->EncodeNBest(ToStd(text), n, segmentations, error)) return segmentations;
  return absl::InvalidArgumentError(absl::StrCat("n-best segmentation: ", error));
}

std::vector<std::vector<int32_t>> Tokenizer::Sample(absl::Span<const std::string> texts,
                                                    double alpha, uint32_t seed) const {
  std::vector<std::vector<int32_t>> samples;
  samples.reserve(texts.size());
  // SentencePiece keeps one generator per thread, seeded from a global at the thread's first draw:
  // only a new thread has a known state.
  static std::mutex seeding;
  const std::lock_guard<std::mutex> lock(seeding);
  constexpr uint32_t kNoSeed = ~uint32_t{0};  // For SentencePiece: "leave the seed as it is".
  model_->library->seed(seed == kNoSeed ? 0 : seed);
  std::exception_ptr failure;  // Such as std::bad_alloc.
  std::thread([&] {
    try {
      for (const std::string& text : texts) {
        std::vector<int32_t> ids = model_->pieces->Sample(text, static_cast<float>(alpha));
        samples.push_back(ids.empty() ? Encode(text)
                                      : std::move(ids));  // Char and word models do not sample.
      }
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
  return samples;
}

std::string Tokenizer::Decode(absl::Span<const int32_t> ids) const {
  return model_->pieces->Decode({ids.begin(), ids.end()});
}

std::vector<std::string> Tokenizer::Subwords(absl::Span<const int32_t> ids) const {
  std::vector<std::string> subwords;
  subwords.reserve(ids.size());
  for (const int32_t id : ids) subwords.push_back(model_->pieces->Piece(id));
  return subwords;
}

const std::string& Tokenizer::model() const { return model_->bytes; }

}  // namespace seq2seq
